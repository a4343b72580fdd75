"""Runs against judgements: metrics, answer matching, TREC files, significance."""
