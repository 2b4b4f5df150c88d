"""Drawings of a page that no plotting library makes: machines, ancestries, memories at work."""
