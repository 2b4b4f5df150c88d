"""Charts of selection: how a population hangs together, how a search went, how species fared."""

from collections.abc import Sequence

from evo_ntm.reports.chapters import Challenge, Displacement, Population, Search, SpeciesStream
from evo_ntm.reports.charts.layers import (
    Band,
    Bars,
    Chart,
    Heat,
    Layer,
    Line,
    Marks,
    Plot,
    Rules,
    Shade,
    briefly,
)
from evo_ntm.reports.digits import number
from evo_ntm.reports.palette import AMBER, BLUE, BROWN, ENDINGS, GREEN, GREY, PINK, RED, series

MOST_CHALLENGES = 200
STAGES = "curriculum"


def population(chapter: Population) -> Chart:
    """Chart what a population's tree is like, generation by generation."""
    x = briefly(chapter.generations)
    swept = tuple(float(generation) for generation, _ in chapter.sweeps)
    told = tuple(f"generation {generation}: everybody descends from birth {birth} now"
                 for generation, birth in chapter.sweeps)  # fmt: skip
    marks = Marks(
        "a sweep", briefly(swept), (0.0,) * len(swept), AMBER, "triangle-up", 7, told=told
    )
    plots = (
        Plot("Generations since the most recent common ancestor",
             (*_unsettled(chapter), Line("age", x, briefly(chapter.age), BLUE),
              *([marks] if swept else [])), 160),
        Plot("Mean pairwise distance, in births",
             (Line("distance", x, briefly(chapter.mean_pairwise_distance), GREEN),), 130),
        Plot("Phylogenetic diversity, in births",
             (Line("diversity", x, briefly(chapter.phylogenetic_diversity), PINK),), 130),
        Plot("Effective number of parents",
             (Line("parents", x, briefly(chapter.effective_parents), BROWN),), 130),
    )  # fmt: skip
    return Chart(
        "population",
        f"By generation: how long ago the common ancestor of all was born, with {len(swept)} "
        "sweeps; mean pairwise distance, phylogenetic diversity and effective parents.",
        "generation",
        plots,
        together=True,
    )


def ancestors(chapter: Population) -> Chart:
    """Chart how many ancestors those alive at the end had so many generations back."""
    counts = chapter.ancestors_back
    line = Line(
        "ancestors", briefly(tuple(range(len(counts)))), briefly(counts), BLUE, stepped=True
    )
    return Chart(
        "ancestors",
        f"Those alive at the end have {counts[0] if counts else 0} ancestors 0 generations back, "
        f"and {counts[-1] if counts else 0} {max(len(counts) - 1, 0)} generations back.",
        "generations back",
        (Plot("Different ancestors of those alive at the end", (line,), 220,
              logarithmic=min(counts, default=0) > 0),),
    )  # fmt: skip


def search(chapter: Search, generations: int) -> Chart:
    """Chart restarts, restores, finer steps, stages and the trials of challengers over time."""
    layers: list[Layer] = [*_stages(chapter, generations), *_trials(chapter, generations)]
    for name, places, colour, dash in (
        ("a restart", chapter.restarts, RED, "dash"),
        ("the best mean is restored", chapter.restores, BLUE, "dot"),
        ("steps become finer", chapter.finer, GREEN, "solid"),
    ):
        if places:
            layers.append(Rules(name, tuple(map(float, places)), colour, dash))  # type: ignore[arg-type]
    finer = f"{len(chapter.finer)} turns to finer steps, " if chapter.finer else ""
    lanes = {c for layer in layers if isinstance(layer, Bars) for c in layer.categories}
    return Chart(
        "search",
        f"Over {generations} generations: {len(chapter.restarts)} restarts, "
        f"{len(chapter.restores)} restores, {finer}{len(chapter.stages)} stages of the curriculum "
        f"and {len(chapter.challenges)} trials of challengers.",
        "generation",
        (Plot("Trials of challengers and stages of the curriculum", tuple(layers),
              90 + 30 * len(lanes)),),
    )  # fmt: skip


def displacement(chapter: Displacement) -> Chart | None:
    """Chart how far each wire has moved, at some births of the line; None where none is known."""
    if not chapter.births or not chapter.wires:
        return None
    columns = tuple(map(str, chapter.generations))
    told = tuple(
        tuple(f"{wire}, birth {birth}, generation {generation}: moved {number(moved)}"
              for birth, generation, moved in zip(
                  chapter.births, chapter.generations, row, strict=True))
        for wire, row in zip(chapter.wires, chapter.moved, strict=True)
    )  # fmt: skip
    heat = Heat("displacement", columns, chapter.wires, tuple(map(briefly, chapter.moved)), told)
    return Chart(
        "displacement",
        f"How far each of {len(chapter.wires)} wires had moved from the founder's weights, at "
        f"{len(columns)} births of the line.",
        "generation",
        (Plot("Length of the change, over that of all weights of the founder", (heat,),
              90 + 15 * len(chapter.wires)),),
        least_width=620,
    )  # fmt: skip


def species(chapter: SpeciesStream) -> Chart:
    """Chart the sizes of species as a stream: as wide as there are machines of a species."""
    x = briefly(chapter.generations)
    below = [-sum(column) / 2 for column in zip(*chapter.sizes, strict=True)]
    layers = []
    for place, (name, sizes) in enumerate(zip(chapter.names, chapter.sizes, strict=True)):
        above = [low + size for low, size in zip(below, sizes, strict=True)]
        told = tuple(
            f"generation {generation}: {size} of {name}"
            for generation, size in zip(chapter.generations, sizes, strict=True)
        )
        rest = len(chapter.names) > 1 and name == "rest"
        colour = GREY if rest else series(place)
        layers.append(
            Band(name, x, briefly(tuple(below)), briefly(tuple(above)), colour, 0.85, told)
        )
        below = above
    return Chart(
        "species",
        f"Sizes of {len(chapter.names)} species over {len(x)} generations.",
        "generation",
        (Plot("Machines of each species, by width", tuple(layers), 300, scaled=False),),
    )


def _unsettled(chapter: Population) -> list[Shade]:
    """Shade the generations since everybody's last common ancestor: their lines may still end."""
    if not chapter.age or chapter.age[-1] is None:
        return []
    last = chapter.generations[-1]
    return [Shade("lines may still end", float(last - chapter.age[-1]), float(last), GREY)]


def _stages(chapter: Search, generations: int) -> list[Bars]:
    """Make a bar of each stage of the curriculum, where there is more than one."""
    if len(chapter.stages) < 2:
        return []
    begins = [begin for begin, _ in chapter.stages]
    ends = [*begins[1:], generations]
    told = tuple(f"stage {stage + 1}, from generation {begin}" for begin, stage in chapter.stages)
    lengths = tuple(float(end - begin) for begin, end in zip(begins, ends, strict=True))
    return [Bars("a stage of the curriculum", (STAGES,) * len(begins), lengths, PINK,
                 begins=briefly(tuple(begins)), told=told)]  # fmt: skip


def _trials(chapter: Search, generations: int) -> list[Bars]:
    """Put trials that overlap below each other, and give each ending its colour."""
    free: list[int] = []  # the generation from which each lane has room
    lanes: dict[int, str] = {}
    challenges = chapter.challenges[:MOST_CHALLENGES]
    for place, challenge in enumerate(challenges):
        lane = next((n for n, end in enumerate(free) if end <= challenge.generation), len(free))
        free[lane : lane + 1] = [_ended(challenge, generations)]
        lanes[place] = f"challenger {lane + 1}" if lane else "challenger"
    bars = []
    for ending, colour in ENDINGS.items():
        chosen = [place for place, challenge in enumerate(challenges) if challenge.ending == ending]
        if chosen:
            mine = [challenges[place] for place in chosen]
            bars.append(
                Bars(ending, tuple(lanes[place] for place in chosen),
                     tuple(float(max(_ended(c, generations) - c.generation, 1)) for c in mine),
                     colour, begins=briefly(tuple(c.generation for c in mine)), told=_told(mine))
            )  # fmt: skip
    return bars


def _ended(challenge: Challenge, generations: int) -> int:
    return generations if challenge.ended is None else challenge.ended


def _told(challenges: Sequence[Challenge]) -> tuple[str, ...]:
    return tuple(
        f"birth {c.birth}, {', '.join(c.operators)}: {c.topology}, from generation {c.generation}: "
        f"{c.ending}{'' if c.ended is None else f' at {c.ended}'}"
        for c in challenges
    )
