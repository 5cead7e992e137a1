"""Models fitted from data: scorecards, challengers, warning models; their checks, calibration and validation.

What is fitted here is kept as a policy document or as LightGBM text, with a card that says how it came about; it is
never pickled. Ranking and calibration are kept apart: a model may rank well and be calibrated badly, and the reverse.
"""
