"""What may be typed after `evo-ntm`: a function a verb, grouped by what they do.

Nothing heavy is imported before a verb is asked for, so that `--help` and a mistake in a task file
answer at once.
"""
