"""When the offline investigator may be certain: what caps it, and that the cap is named."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.agent.company import ONSET, alert, change, request, run, symptom
from tests.llm.offline.test_twins import look, released, throws


def confidence(*symptoms, about="cart", **more):
    return run(request(alert(about)), look(*symptoms, **more)).causes[0].confidence


OWN = replace(throws(says="cart throws TypeError in total (/app/cart/total.py:9)"), specificity=0.92)


def test_what_a_program_throws_is_certainly_its_own_defect_only_since_a_release():
    assert confidence(OWN, changes=[released("Deployment shop/cart")]).band == "high"
    without = confidence(OWN)
    assert without.band == "medium"
    assert "no release of cart" in (without.capped_by or "")


def test_a_release_after_the_first_error_is_no_release_before_it():
    later = change("r9", "Deployment shop/cart", "image 1.4.1 -> 1.4.2", ONSET + timedelta(minutes=20))
    assert confidence(OWN, changes=[later]).band == "medium"


@pytest.mark.parametrize(
    ("fault", "about", "band"),
    [
        ("image_not_found", "Deployment shop/cart", "medium"),
        ("memory_leak", "Deployment shop/cart", "high"),
        ("tls_certificate_invalid", "Service shop/cart", "high"),
    ],
)
def test_what_was_there_long_before_the_alert_is_not_certainly_its_cause(fault, about, band):
    old = symptom(about, fault, f"cart has {fault}", 0.97, at=ONSET - timedelta(hours=30))
    assert confidence(old).band == band
