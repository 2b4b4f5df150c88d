"""The same run, fused: all that scoring a population does, in one call an episode."""
