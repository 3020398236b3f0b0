"""What users install along with this package: may they, and is anything known to be wrong with it?"""
