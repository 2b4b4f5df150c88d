"""What answers to the copy of the Evolving Neural Turing Machine are worth."""

import pytest
import torch

from evo_ntm.seeds import derive
from evo_ntm.tasks import grade, make, measures
from tests.tasks import reference

TASK = make("entm_copy", {"bits": 3, "longest": 4})


def test_answers_are_worth_what_the_reference_says():
    episodes = TASK.episodes(derive(1, "worth"), 6)
    scripts = reference.entm_copy(TASK.settings, derive(1, "worth"), 6)
    drawn = derive(1, "answers").random((len(episodes.inputs), 2, 6, 3))
    near = torch.from_numpy(drawn) * 0.4
    answers = (episodes.targets.unsqueeze(1) - near).abs().clamp(1e-6, 1 - 1e-6)
    worth = grade(episodes, torch.logit(answers), TASK).worth
    assert 0.2 < worth.mean() < 0.8
    for genome in range(2):
        for lane, script in enumerate(scripts):
            told = answers[: len(script), genome, lane].tolist()
            assert worth[genome, lane].item() == pytest.approx(reference.strict_close(script, told))


def test_what_answers_lack_is_a_measure():
    episodes = TASK.episodes(derive(1, "worth"), 5)
    right = 50 * (2 * episodes.targets - 1)
    for logits, shortfall in ((right, 0.0), (0 * right, 1.0), (-right, 1.0)):
        taken = measures(TASK, episodes, grade(episodes, logits, TASK))
        assert taken["shortfall"] == pytest.approx(shortfall, abs=1e-6)


def test_no_number_is_worth_no_number():
    episodes = TASK.episodes(derive(1, "worth"), 5)
    nothing = torch.full_like(episodes.targets, torch.nan)
    assert grade(episodes, nothing, TASK).worth.isnan().all()


def test_the_first_answer_is_due_on_the_step_after_the_delimiter():
    episodes = TASK.episodes(derive(1, "worth"), 20)
    for lane, length in enumerate(episodes.lengths):
        count = (length - 2) // 2
        assert episodes.inputs[0, lane].tolist() == [1, 0, 0, 0, 0]
        assert episodes.inputs[count + 1, lane].tolist() == [0, 1, 0, 0, 0]
        assert episodes.scored[:, lane].nonzero().flatten().tolist() == [*range(count + 2, length)]
