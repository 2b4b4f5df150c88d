"""What may be set of each operator: its share among the births, and its own parameters."""

from typing import Annotated

from pydantic import Field

from evo_ntm.errors import nearest
from evo_ntm.experiment.finetune import Limit, OptimiserName, Rate
from evo_ntm.experiment.model import OwnSettings, Settings, refuse
from evo_ntm.experiment.plugins import provided

GROUP = "evo_ntm.operators"
OftenAs = Annotated[float, Field(ge=0, le=10**6, description="how often, beside the others")]


class Operator(Settings):
    """How often an operator makes a child; shares need not sum to one."""

    share: OftenAs = 1.0


class Perturb(Operator):
    """As for every operator, how far genes move, and how many of them do."""

    sigma: Annotated[
        float | None,
        Field(gt=0, le=10, description="standard deviation of the noise; null: the strategy's"),
    ] = None
    few: Annotated[
        float | None,
        Field(ge=0, le=1, description="how often it moves few genes; null: as the strategy does"),
    ] = None
    alike: Annotated[
        float | None,
        Field(ge=0, le=1, description="how often genes move alike for all bits; null: never"),
    ] = None
    chance: Annotated[
        float | None, Field(gt=0, le=1, description="for each gene to move; null: all do")
    ] = None


class WidenMemory(Operator):
    """As for every operator, and how much memory it adds."""

    columns: Annotated[int, Field(ge=1, le=1000, description="columns to add")] = 1


class GrowController(Operator):
    """As for every operator, and how much of a layer it adds."""

    units: Annotated[int, Field(ge=1, le=1000, description="units to add")] = 4


class FinetuneChildren(Operator):
    """How children, whoever made them, are trained by gradients before they are scored."""

    share: Annotated[
        float, Field(ge=0, le=1, description="of the children that others made, so many")
    ] = 0.1
    steps: Annotated[int, Field(ge=1, le=10**5, description="gradient steps before scoring")] = 10
    batch: Annotated[int, Field(ge=1, le=10**5, description="sequences a step, for all alike")] = 8
    optimiser: Annotated[
        OptimiserName, Field(description="adam, or rmsprop as in Graves (2013)")
    ] = "adam"
    learning_rate: Annotated[
        Rate | None, Field(description="step size; null: 0.003 for adam, 0.0005 for rmsprop")
    ] = None
    clip_norm: Annotated[
        Limit | None, Field(description="longest gradient, longer ones are cut; null: any")
    ] = 10.0
    write_back: Annotated[
        bool,
        Field(
            description="true: what was learned is inherited (Lamarck); "
            "false: it only counts when scored, each time anew (Baldwin)"
        ),
    ] = True


class OwnOperator(OwnSettings):
    """Somebody's own operator: its share, and parameters that only its author can check."""

    share: OftenAs = 1.0


OPERATORS: dict[str, str] = {
    "perturb": "add noise to every gene",
    "cross": "take some units from a second parent",
    "add_reader": "give the machine one more reader",
    "drop_reader": "take a reader away",
    "add_writer": "give the machine one more writer",
    "drop_writer": "take a writer away",
    "add_tape_head": "give the tape one more head",
    "drop_tape_head": "take a head of the tape away",
    "widen_memory": "add columns to the memory",
    "narrow_memory": "take columns from the memory",
    "grow_controller": "add hidden units to a layer",
    "shrink_controller": "take hidden units from a layer",
    "deepen_controller": "add a layer to the controller",
    "flatten_controller": "take a layer from the controller",
    "widen_shift": "let a head shift one row further",
    "narrow_shift": "let a head shift one row less far",
    "swap_controller": "turn a dense controller into an LSTM, or back",
    "toggle_stage": "switch an addressing stage of a head on or off",
    "change_source": "let a head take its orders from elsewhere",
    "change_target": "let others listen to a reader",
    "add_node": "add a node to a graph, beside a connection",
    "add_connection": "connect two ends of a graph",
    "drop_connection": "take a connection from a graph",
    "finetune": "train by gradients for some steps, before it is scored",
}
"""The operators of this package, and what each does to a child."""

UNSTRUCTURED = ("perturb", "cross", "finetune")
"""Those that leave a topology as it is."""

OF_GRAPHS = ("add_node", "add_connection", "drop_connection")
"""Those that change a graph, and nothing else."""

OPERATOR_SETTINGS: dict[str, type[Operator]] = {
    "perturb": Perturb,
    "widen_memory": WidenMemory,
    "grow_controller": GrowController,
    "finetune": FinetuneChildren,
}


def operator_settings(name: str) -> type[Operator | OwnOperator]:
    """Find what may be set of an operator. Refuses the name of one that nobody provides."""
    if name in OPERATORS:
        return OPERATOR_SETTINGS.get(name, Operator)
    if name in provided(GROUP):
        return OwnOperator
    known = {*OPERATORS, *provided(GROUP)}
    refuse((name,), "the name of an operator", name, nearest(name, known))
