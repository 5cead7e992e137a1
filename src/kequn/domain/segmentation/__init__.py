"""Where a customer stands: codes of industry, place and person that must be read before a segment can be."""
