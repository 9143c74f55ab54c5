"""The questions that every log system answers alike: what is asked of one, the first look, and the tools of a model."""
