PRAGMA application_id = 0x45564F4E;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE births (
    number INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    parents TEXT NOT NULL,    -- JSON list of numbers, the primary parent first
    operators TEXT NOT NULL,  -- JSON list of names, in the order in which they were applied
    genome TEXT NOT NULL,     -- the genome's id
    topology TEXT NOT NULL,
    fitness REAL NOT NULL,    -- at birth, on that generation's episodes
    measures TEXT NOT NULL    -- JSON, at birth
) STRICT;
INSERT INTO "births" VALUES(1,0,'[]','["found"]','2aa6beb958b5e261abbe5f237ec8ccb6','dense 4, 1 reader, 1 writer, width 3',-1.40335226058959960937e+00,'{"bits": 1.4033522605895996, "wrong_bits": 1.25}');
INSERT INTO "births" VALUES(2,0,'[]','["found"]','3be75d933194cd00ea50bf377913aabe','dense 4, 1 reader, 1 writer, width 3',-1.35625374317169189453e+00,'{"bits": 1.356253743171692, "wrong_bits": 0.5}');
INSERT INTO "births" VALUES(3,0,'[]','["found"]','144787da67e39d3c64559a2805c6ddb6','dense 4, 1 reader, 1 writer, width 3',-1.35459756851196289062e+00,'{"bits": 1.354597568511963, "wrong_bits": 0.125}');
INSERT INTO "births" VALUES(4,0,'[]','["found"]','8e3c5790dd072072ef4e2ea82ccbfe26','dense 4, 1 reader, 1 writer, width 3',-1.37542140483856201171e+00,'{"bits": 1.375421404838562, "wrong_bits": 0.75}');
INSERT INTO "births" VALUES(5,0,'[]','["found"]','9138f767311c520a88a8574b922918a4','dense 4, 1 reader, 1 writer, width 3',-1.50854349136352539062e+00,'{"bits": 1.5085434913635254, "wrong_bits": 0.625}');
INSERT INTO "births" VALUES(6,0,'[]','["found"]','f9aedc0c45dd061135254ae8ea49e896','dense 4, 1 reader, 1 writer, width 3',-1.36106777191162109375e+00,'{"bits": 1.361067771911621, "wrong_bits": 0.75}');
INSERT INTO "births" VALUES(7,1,'[3]','["perturb"]','efd3c3351a18855986c038fb20e46962','dense 4, 1 reader, 1 writer, width 3',-1.60406613349914550781e+00,'{"bits": 1.6040661334991455, "wrong_bits": 0.75}');
INSERT INTO "births" VALUES(8,1,'[2]','["perturb"]','6612a587c2c77530c2d0f345a5369b1b','dense 4, 1 reader, 1 writer, width 3',-1.63857352733612060546e+00,'{"bits": 1.6385735273361206, "wrong_bits": 0.875}');
INSERT INTO "births" VALUES(9,1,'[3]','["perturb"]','f68455688110ef0045ae1d4a37ef4bb6','dense 4, 1 reader, 1 writer, width 3',-1.63568007946014404296e+00,'{"bits": 1.635680079460144, "wrong_bits": 0.875}');
INSERT INTO "births" VALUES(10,1,'[1]','["perturb"]','fe5e9beae7fb2ad298f2bdd254396b14','dense 4, 1 reader, 1 writer, width 3',-1.63993549346923828125e+00,'{"bits": 1.6399354934692383, "wrong_bits": 0.875}');
INSERT INTO "births" VALUES(11,2,'[2]','["perturb"]','8fdbb5aa97721fc15ab9adf4b851111e','dense 4, 1 reader, 1 writer, width 3',-1.2341963052749633789e+00,'{"bits": 1.2341963052749634, "wrong_bits": 0.5}');
INSERT INTO "births" VALUES(12,2,'[8]','["add_reader"]','db13158a0097280cbc7216c975b639e3','dense 4, 2 readers, 1 writer, width 3',-1.22974979877471923828e+00,'{"bits": 1.2297497987747192, "wrong_bits": 0.5}');
INSERT INTO "births" VALUES(13,2,'[7]','["perturb"]','c3a4274a9ad87612e75cad865be3fb4c','dense 4, 1 reader, 1 writer, width 3',-1.27057182788848876953e+00,'{"bits": 1.2705718278884888, "wrong_bits": 0.75}');
INSERT INTO "births" VALUES(14,2,'[7]','["perturb"]','d69414a9a55be87ebfa008f288635ee6','dense 4, 1 reader, 1 writer, width 3',-1.23912227153778076171e+00,'{"bits": 1.2391222715377808, "wrong_bits": 0.5}');
INSERT INTO "births" VALUES(15,3,'[12]','["perturb"]','b24d43dc08d38f72f8193c12ea220256','dense 4, 2 readers, 1 writer, width 3',-1.64704620838165283203e+00,'{"bits": 1.6470462083816528, "wrong_bits": 0.875}');
INSERT INTO "births" VALUES(16,3,'[12]','["perturb"]','eea9debd5044943d3b7df1d65bf82d43','dense 4, 2 readers, 1 writer, width 3',-1.64672648906707763671e+00,'{"bits": 1.6467264890670776, "wrong_bits": 0.875}');
INSERT INTO "births" VALUES(17,3,'[12]','["perturb"]','9ba801f7f43ddb740357f674c7608f1e','dense 4, 2 readers, 1 writer, width 3',-1.66461741924285888671e+00,'{"bits": 1.6646174192428589, "wrong_bits": 0.875}');
INSERT INTO "births" VALUES(18,3,'[14]','["add_reader"]','b064575272ed417652e7b331d5fa16f5','dense 4, 2 readers, 1 writer, width 3',-1.6180807352066040039e+00,'{"bits": 1.618080735206604, "wrong_bits": 0.75}');
INSERT INTO "births" VALUES(19,4,'[12]','["perturb"]','451466c65034f82b4cad432faf5c72bb','dense 4, 2 readers, 1 writer, width 3',-1.5077648162841796875e+00,'{"bits": 1.5077648162841797, "wrong_bits": 0.75}');
INSERT INTO "births" VALUES(20,4,'[16]','["add_reader"]','8d0448ae66e912ed8e749cc3a059159d','dense 4, 3 readers, 1 writer, width 3',-1.52074086666107177734e+00,'{"bits": 1.5207408666610718, "wrong_bits": 0.75}');
INSERT INTO "births" VALUES(21,4,'[18]','["perturb"]','1ac4d050c19ef6d2525eb2a7c0ca00a1','dense 4, 2 readers, 1 writer, width 3',-1.49011909961700439453e+00,'{"bits": 1.4901190996170044, "wrong_bits": 0.625}');
INSERT INTO "births" VALUES(22,4,'[18, 11]','["cross", "cross"]','b064575272ed417652e7b331d5fa16f5','dense 4, 2 readers, 1 writer, width 3',-1.48936128616333,'{"bits": 1.48936128616333, "wrong_bits": 0.75}');
CREATE TABLE events (
    generation INTEGER NOT NULL,
    kind TEXT NOT NULL,
    told TEXT NOT NULL
) STRICT;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO "facts" VALUES('task_hash','"dd49843b802930225e106f6205b23d55"');
INSERT INTO "facts" VALUES('config_hash','"7573c6d6917b333a64cc56ef560e2e1c"');
INSERT INTO "facts" VALUES('backend','"fused on cpu, avx512"');
INSERT INTO "facts" VALUES('interrupted','false');
INSERT INTO "facts" VALUES('seconds','0.155');
CREATE TABLE generations (
    number INTEGER PRIMARY KEY,
    rows INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    scored INTEGER NOT NULL,
    timesteps INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    species INTEGER NOT NULL,
    statistics TEXT NOT NULL, -- JSON: quantiles of the fitness, and the strategy's own figures
    seconds REAL NOT NULL     -- since the run began
) STRICT;
INSERT INTO "generations" VALUES(0,4,0,6,180,0,1,'{"worst": -1.5085434913635254, "lower": -1.4033522605895996, "median": -1.375421404838562, "upper": -1.356253743171692, "best": -1.354597568511963, "sigma": 0.1}',2.93322400102624669671e-03);
INSERT INTO "generations" VALUES(1,6,0,6,204,0,2,'{"worst": -1.6399354934692383, "lower": -1.6385735273361206, "median": -1.635680079460144, "upper": -1.6055631637573242, "best": -1.6040661334991455, "sigma": 0.07258843264855261}',9.01369579987658653408e-02);
INSERT INTO "generations" VALUES(2,4,0,6,168,0,2,'{"worst": -1.2705718278884888, "lower": -1.2648173570632935, "median": -1.2391222715377808, "upper": -1.2341963052749634, "best": -1.2297497987747192, "sigma": 0.08766290342222632}',1.02066160001413663849e-01);
INSERT INTO "generations" VALUES(3,6,0,6,204,0,3,'{"worst": -1.6646174192428589, "lower": -1.6470462083816528, "median": -1.6467264890670776, "upper": -1.6315064430236816, "best": -1.618080735206604, "sigma": 0.10080992222087268}',1.17602682999859098345e-01);
INSERT INTO "generations" VALUES(4,5,0,6,192,0,2,'{"worst": -1.5207408666610718, "lower": -1.5077648162841797, "median": -1.4993541240692139, "upper": -1.48936128616333, "best": -1.48936128616333, "sigma": 0.10080992222087268}',1.25370088000636314973e-01);
CREATE TABLE sittings (
    number INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    birth INTEGER NOT NULL REFERENCES births,
    solved INTEGER NOT NULL,
    rows TEXT NOT NULL        -- JSON: the rows of the exam
) STRICT;
CREATE TABLE validations (
    generation INTEGER PRIMARY KEY,
    birth INTEGER NOT NULL REFERENCES births,
    wrong_bits REAL NOT NULL,
    bits REAL NOT NULL,
    champion INTEGER NOT NULL -- 1 where it became the champion
) STRICT;
INSERT INTO "validations" VALUES(1,7,0.8125,1.50310850143432617187e+00,1);
INSERT INTO "validations" VALUES(3,18,0.8125,1.49062311649322509765e+00,1);
INSERT INTO "validations" VALUES(4,18,0.8125,1.49062311649322509765e+00,0);
COMMIT;
