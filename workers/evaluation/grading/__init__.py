"""Grading without a judge: pure functions of a finding, its trace and the truth. One module a question.

Rules: reference/trace-and-eval.md, section 6. What does not apply to a case is None and left out of every mean.
"""

from workers.evaluation.grading.marks import Marks, grade

__all__ = ["Marks", "grade"]
