"""What a machine does, in words: its program, what its parts are worth, where it fails."""

from evo_ntm.reports.explaining.explaining import explain

__all__ = ["explain"]
