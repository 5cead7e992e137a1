"""Plain values on paper: charts, PDF, Word and Excel. Nothing here knows a database or a page."""
