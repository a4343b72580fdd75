"""One offline HTML page from run folders: CSV and JSON in, no model, no network."""
