"""What the sample customers of Northside Motors are made from; `tools/sample_facts.py` writes them down."""
