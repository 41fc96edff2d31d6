"""What the sample patients of Isarbogen Clinic are made from; `tools/sample_clinic.py` writes them down."""
