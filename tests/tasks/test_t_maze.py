"""The T-maze beside one written plainly, a lane and a step at a time."""

import json
from math import cos, floor, hypot, inf, pi, sin
from pathlib import Path

import numpy as np
import pytest
import torch

from evo_ntm.seeds import derive
from evo_ntm.tasks.maze import maze
from evo_ntm.tasks.t_maze import TMaze, judge

GOLDEN = Path(__file__).parents[2] / "../shared/golden/entm/double-t-maze-champion.json"
MAPS = {
    "single": ["#####", "##S##", "##.##", "#G.G#", "#####"],
    "double": ["#########", "#G##S##G#", "#.##.##.#", "#.......#", "#.#####.#", "#G#####G#",
               "#########"],
}  # fmt: skip
ENDS = {"single": [(1, 3), (3, 3)], "double": [(1, 1), (1, 5), (7, 1), (7, 5)]}
START = {"single": (2, 1), "double": (4, 1)}
FORKS = {"single": [], "double": [(1, 3), (4, 3), (7, 3)]}


def wall(name, x, y):
    tiles = MAPS[name]
    return not (0 <= y < len(tiles) and 0 <= x < len(tiles[0])) or tiles[y][x] == "#"


def sides(name):
    """List the segments where wall and floor meet."""
    height, width = len(MAPS[name]), len(MAPS[name][0])
    for x in range(-1, width):
        for y in range(-1, height):
            if wall(name, x, y) != wall(name, x, y + 1):
                yield x, y + 1, x + 1, y + 1
            if wall(name, x, y) != wall(name, x + 1, y):
                yield x + 1, y, x + 1, y + 1


def distance(name, x, y, angle):
    """Meet the ray, a segment of length 3, with every side; give the nearest, of 3 at most."""
    nearest, far_x, far_y = 3.0, x + 3 * cos(angle), y + 3 * sin(angle)
    for x1, y1, x2, y2 in sides(name):
        across = (y2 - y1) * (far_x - x) - (x2 - x1) * (far_y - y)
        if across == 0:
            continue
        along = ((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) / across
        beside = ((far_x - x) * (y - y1) - (far_y - y) * (x - x1)) / across
        if 0 <= along <= 1 and 0 <= beside <= 1:
            nearest = min(nearest, hypot(along * (far_x - x), along * (far_y - y)))
    return nearest / 3


class Reference:
    """One lane of a T-maze, as the source's program plays it."""

    def __init__(self, task, first, second, moved):
        self.task, self.name, self.runs = task, task.settings.maze, task.runs
        self.ends, self.goals, self.moved = ENDS[self.name], (first, second), moved
        self.run, self.resetting, self.done = 0, False, False
        self.can_be, self.sound, self.earned, self.reward = set(range(len(self.ends))), 0, 0.0, 0.0
        self.restart()

    def restart(self):
        self.x, self.y = (place + 0.5 for place in START[self.name])
        self.angle, self.step, self.visited = pi / 2, 0, set()

    @property
    def high(self):
        return self.ends[self.goals[self.run >= self.moved]]

    def worth(self):
        tile = floor(self.x), floor(self.y)
        return 0.0 if tile not in self.ends else 1.0 if tile == self.high else 0.1

    def observe(self, hair):
        if self.done:
            return [0.0] * sum(block.size for block in self.task.inputs)
        angle = self.angle + hair
        looks = [distance(self.name, self.x, self.y, angle + look * pi / 4) for look in (-1, 0, 1)]
        fork = (floor(self.x), floor(self.y)) in FORKS[self.name]
        return [*looks, self.worth(), *([float(fork)] if self.task.settings.turn_signal else [])]

    def act(self, turn):
        self.reward = 0.0
        if self.resetting:
            self.resetting = False
            self.run += 1
            self.restart()
            return
        self.angle += turn * self.task.settings.turn / 180 * pi
        self.x, self.y = self.x + 0.1 * cos(self.angle), self.y + 0.1 * sin(self.angle)
        self.step += 1
        tile = floor(self.x), floor(self.y)
        self.visited.add(tile)
        late = self.step >= 99 or self.step >= 20 * len(self.visited)
        if tile in self.ends or wall(self.name, *tile) or late:
            self.resetting, self.reward = True, self.worth()
            self.earned += self.reward
            self.score(self.ends.index(tile) if tile in self.ends else None, tile == self.high)
            self.done = self.run == self.runs - 1

    def score(self, end, high):
        if end is None:
            return
        self.sound += end in self.can_be
        if high:
            self.can_be = {end}
        elif self.can_be == {end}:
            self.can_be = set(range(len(self.ends))) - {end}
        else:
            self.can_be = self.can_be - {end}


def wander(drawn, seen):
    """Turn to where there is room, but now and then anywhere."""
    if drawn.random() < 0.2:
        return drawn.choice([1, 1, 1])
    return 1 if seen[1] > 0.3 else 0 if seen[0] > seen[2] else 2


def references(task, fates):
    drawn = zip(*(fates[name].tolist() for name in ("first", "second", "moved")), strict=True)
    return [Reference(task, *fate) for fate in drawn]


def fates_of(task, lanes, seed=1):
    (share,) = task.episodes(derive(seed, "test"), lanes).shares
    return share.fates


@pytest.mark.parametrize(
    "settings",
    [
        {"trials": 1},
        {"trials": 1, "maze": "single", "turn": 45.0},
        {"trials": 1, "turn_signal": False, "turn": 35.0, "scorer": "reward"},
    ],
)
def test_lives_are_those_of_the_reference(settings):
    task = TMaze().with_settings(**settings)
    fates = fates_of(task, 5)
    life, plain = task.live(fates), references(task, fates)
    drawn, reached = derive(2, "turns"), 0
    while not life.done.all():
        observed = life.observation.tolist()
        for seen, reference in zip(observed, plain, strict=True):
            # What a ray that grazes a corner meets is a matter of rounding.
            expected = [reference.observe(hair) for hair in (-1e-7, 0, 1e-7)]
            for number, either in zip(seen, zip(*expected, strict=True), strict=True):
                assert any(number == pytest.approx(one, abs=1e-5) for one in either)
        chosen = [wander(drawn, seen) for seen in observed]
        life = life.react(torch.nn.functional.one_hot(torch.tensor(chosen), 3).float())
        for lane, (reference, turn) in enumerate(zip(plain, chosen, strict=True)):
            running = not reference.done
            if running:
                reference.act(turn - 1)
            assert life.reward[lane].item() == pytest.approx(reference.reward if running else 0.0)
            assert bool(life.done[lane]) == reference.done
            assert life.marks["reward"][lane].item() == pytest.approx(reference.earned)
            assert life.stand.sound[lane].item() == reference.sound
            reached += running and reference.reward > 0
    assert reached
    won = "earned" if settings.get("scorer") == "reward" else "sound"
    scores = [getattr(reference, won) / task.runs for reference in plain]
    assert life.score.tolist() == pytest.approx(scores)
    missed = [task.runs - reference.sound for reference in plain]
    assert life.marks["missed"].tolist() == missed


@pytest.mark.parametrize("name", MAPS)
def test_sight_is_the_nearest_side_of_a_wall(name):
    drawn = derive(3, "places").random((40, 3))
    plan = maze(name)
    for across, up, around in drawn:
        x, y = across * len(MAPS[name][0]), up * len(MAPS[name])
        ray = torch.tensor([[[cos(around * 7)], [sin(around * 7)]]], dtype=torch.float64)
        seen = plan.sight(*(torch.tensor([place], dtype=torch.float64) for place in (x, y)), ray)
        assert seen.item() == pytest.approx(distance(name, x, y, around * 7), abs=1e-9)


def test_what_may_be_known_decides_what_is_sound():
    # Each row: where the high reward may be, the end of the run, whether it was high; then
    # whether that was sound, and where it may be now.
    rows = [
        (0b1111, 2, True, True, 0b0100),  # found by luck
        (0b1111, 2, False, True, 0b1011),  # missed, and three are left
        (0b1011, 2, False, False, 0b1011),  # tried twice
        (0b1011, 2, True, False, 0b0100),  # tried twice, but it had moved there
        (0b0100, 2, True, True, 0b0100),  # found again
        (0b0100, 2, False, True, 0b1011),  # it has moved
        (0b0100, 1, False, False, 0b0100),  # should have known
        (0b0100, 1, True, False, 0b0010),  # was lucky
        (0b0100, -1, False, False, 0b0100),  # came nowhere
        (0b1111, -1, False, False, 0b1111),
    ]
    possible, end, high, sound, after = (torch.tensor(column) for column in zip(*rows, strict=True))
    told, left = judge(possible, end, high, ends=4)
    assert told.tolist() == sound.tolist()
    assert left.tolist() == after.tolist()


@pytest.mark.parametrize(
    ("name", "runs", "earliest", "latest"), [("single", 10, 4, 7), ("double", 20, 7, 13)]
)
def test_lanes_take_turns_at_all_pairs_of_ends_and_the_reward_moves_about_the_middle(
    name, runs, earliest, latest
):
    task = TMaze().with_settings(maze=name)
    fates = fates_of(task, 240)
    ends = len(ENDS[name])
    pairs = list(zip(fates["first"].tolist(), fates["second"].tolist(), strict=True))
    every = [(one, other) for one in range(ends) for other in range(ends) if one != other]
    assert pairs[: len(every)] == every and pairs.count(every[-1]) == 240 // len(every)
    assert set(fates["moved"].tolist()) == set(range(earliest, latest + 1))
    assert task.extent() == {"runs": runs}


def champion():
    if not GOLDEN.exists():
        pytest.skip("the conformance data is not there")
    told = json.loads(GOLDEN.read_text("utf-8"))
    weights = np.zeros((len(told["outputs"]), len(told["inputs"])))
    for source, target, weight in told["connections [input, output, weight]"]:
        weights[target, source] = weight
    return weights


def replay(weights, *, reads):
    """Lead all 12 pairs' lives by a network of no hidden units and a tape of one cell."""
    task = TMaze()
    life = task.live(fates_of(task, 12))
    cells, bias = np.zeros((12, 2)), np.ones((12, 1))
    while not life.done.all():
        heard = np.concatenate([life.observation.numpy(), cells * reads, bias], 1)
        logits = 4.924273 * np.minimum(heard, 1) @ weights.T
        said = 1 / (1 + np.exp(-logits))
        # Wherever the head jumps and shifts to, that is the same cell, if the tape has but one.
        cells = said[:, 5:6] * said[:, 3:5] + (1 - said[:, 5:6]) * cells
        life = life.react(torch.from_numpy(logits[:, :3]))
    return life


def test_the_published_champion_makes_every_choice_soundly():
    life = replay(champion(), reads=True)
    assert life.stand.sound.tolist() == [20] * 12
    assert life.marks["missed"].sum() == 0
    assert (life.marks["reward"] > 14).all()


def test_the_published_champion_that_cannot_read_comes_nowhere():
    life = replay(champion(), reads=False)
    assert life.stand.sound.tolist() == [0] * 12
    assert life.marks["reward"].sum() == 0


def test_an_answer_of_equal_numbers_turns_clockwise():
    task = TMaze()
    life = task.live(fates_of(task, 1)).react(torch.zeros(1, 3))
    assert life.stand.heading.item() == -1


def test_a_population_leads_the_lives_that_each_alone_would():
    task = TMaze().with_settings(trials=1)
    fates = fates_of(task, 3)
    several, alone = task.live(fates), [task.live(fates) for _ in range(2)]
    turns = derive(5, "turns").normal((60, 2, 3, 3))
    for answers in torch.from_numpy(turns):
        several = several.react(answers)
        alone = [life.react(answer) for life, answer in zip(alone, answers, strict=True)]
        together = torch.stack([life.observation for life in alone])
        assert torch.equal(several.observation, together)
    assert not torch.equal(*together)
    assert inf > several.marks["reward"].sum() >= 0
