"""JSON of which equal values are equal bytes, so that it can be hashed, compared and looked up."""

import json


def canonical(told: object, *, finite: bool = False) -> str:
    """Write a value as one line of JSON, keys in order and no spaces.

    Raises ValueError where it is to be `finite`, but holds a number that is not.
    """
    return json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=not finite)
