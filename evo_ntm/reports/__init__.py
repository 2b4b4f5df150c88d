"""What is shown to people: figures and reports, made of runs and genomes, never the other way."""
