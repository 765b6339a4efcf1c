"""Repositories of data sets and models: versions, branches, tags, who may."""
