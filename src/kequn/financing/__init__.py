"""Project finance in files: worked cases, models as YAML, workbooks out and in. No database, no Django.

The calculation is `kequn.domain.projectfinance`; the numbers a committee votes on come from a policy pack.
"""
