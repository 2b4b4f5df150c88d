"""Evolution: one loop, many strategies, and the places where scoring is done."""
