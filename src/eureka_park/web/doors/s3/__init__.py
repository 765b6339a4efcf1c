"""The S3 door: buckets of projects for the clients of Amazon's Simple Storage Service, as they are."""
