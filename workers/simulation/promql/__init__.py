"""PromQL over the world's series: parser, evaluator, functions. What is not done is refused in Prometheus' words."""
