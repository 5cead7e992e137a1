"""Project finance: cash flows, debt, waterfalls and returns of one project, for one case or many at once."""
