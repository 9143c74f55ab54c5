"""How trouble is told to have spread: link by link, each resting on what was seen; and where no link may be told."""

from tests.agent.company import FakeSkill, alert, edge, looks, request, run, symptom

FRONT, CHECKOUT, CART, PAYMENT = (f"Deployment shop/{n}" for n in ("front", "checkout", "cart", "payment"))
CALLS = [
    edge(FRONT, "Service shop/checkout"),
    edge(CHECKOUT, "Service shop/payment"),
    edge(CHECKOUT, "Service shop/cart"),
    edge(FRONT, "Service shop/cart"),
]


def spread(*symptoms, about="checkout", edges=CALLS):
    finding = run(request(alert(about)), FakeSkill(sees=looks(*symptoms, edges=edges)))
    return [(f"{k.source.kind} {k.source.name}", f"{k.target.kind} {k.target.name}") for k in finding.chain]


def suffers(who, from_whom, says="", **more):
    told = says or f"{who} gets errors from {from_whom}"
    points = [from_whom] if from_whom else []
    return symptom(who, "", told, 0.5, role="effect", points_at=points, analyzer="logs.faults", query=told, **more)


POLICY = symptom(
    "NetworkPolicy shop/payment-in", "network_policy_blocks", "payment-in drops calls of checkout to payment",
    0.95, victims=[PAYMENT, CHECKOUT],
)  # fmt: skip
OOM = symptom(CART, "memory_limit_too_low", "cart is OOMKilled: its limit is 64Mi", 0.97)


def test_a_policy_reaches_the_caller_by_way_of_what_it_shuts_off():
    told = spread(POLICY, suffers(CHECKOUT, "Service shop/payment"))
    assert told == [("NetworkPolicy payment-in", "Deployment payment"), ("Deployment payment", "Deployment checkout")]


def test_a_policy_that_shuts_off_what_alerted_has_no_further_way():
    told = spread(POLICY, suffers(PAYMENT, None, "payment gets no calls"), about="payment")
    assert told == [("NetworkPolicy payment-in", "Deployment payment")]


def test_the_way_to_what_alerted_goes_over_everyone_in_between():
    told = spread(OOM, suffers(CHECKOUT, "Service shop/cart"), suffers(FRONT, "Service shop/checkout"), about="front",
                  edges=CALLS[:3])  # fmt: skip
    assert told == [("Deployment cart", "Deployment checkout"), ("Deployment checkout", "Deployment front")]


def test_the_words_of_who_suffers_go_before_a_shorter_way_that_nobody_complains_of():
    told = spread(OOM, suffers(CHECKOUT, "Service shop/cart"), suffers(FRONT, "Service shop/checkout"), about="front")
    assert told == [("Deployment cart", "Deployment checkout"), ("Deployment checkout", "Deployment front")]


def test_without_words_the_way_is_the_reference():
    assert spread(OOM) == [("Deployment cart", "Service checkout")]


def test_what_nothing_leads_to_is_not_reached():
    assert spread(OOM, about="mail") == []


def test_who_alerted_itself_is_followed_by_those_who_complain_of_it_one_after_the_other():
    told = spread(OOM, suffers(CHECKOUT, "Service shop/cart"), suffers(FRONT, "Service shop/cart"),
                  suffers(FRONT, "Service shop/checkout"), about="cart")  # fmt: skip
    assert told == [("Deployment cart", "Deployment checkout"), ("Deployment checkout", "Deployment front")]


def test_who_only_depends_on_it_and_does_not_complain_is_not_told():
    assert spread(OOM, suffers(CHECKOUT, "Service shop/cart"), about="cart") == [
        ("Deployment cart", "Deployment checkout")
    ]


def test_of_all_that_lives_on_a_node_the_one_that_suffers_is_told():
    node = symptom("Node worker-3", "node_rebooted", "Node worker-3 was rebooted", 0.95,
                   victims=["StatefulSet data/db", PAYMENT, "Deployment shop/mail"])  # fmt: skip
    calls = [edge(CHECKOUT, "Service data/db"), edge("Service data/db", "StatefulSet data/db", "selector"), CALLS[1]]
    told = spread(node, suffers(CHECKOUT, "Service data/db"), edges=calls)
    assert [a for a, _ in told] == ["Node worker-3", "StatefulSet db"]
    assert all("payment" not in b and "mail" not in b for _, b in told)


def test_a_volume_reaches_the_caller_by_way_of_the_store_that_the_caller_complains_of():
    full = symptom("PersistentVolumeClaim data/data-db-0", "volume_full", "db has no space left", 0.95,
                   points_at=["Service shop/db"], victims=[CHECKOUT])  # fmt: skip
    stands = edge(CHECKOUT, "Service data/db")
    assert spread(full, edges=[stands]) == [
        ("PersistentVolumeClaim data-db-0", "Service db"), ("Service db", "Deployment checkout")
    ]  # fmt: skip
    # A namesake that the caller does not call is another one.
    assert spread(full, edges=[edge("Deployment data/report", "Service data/db")]) == [
        ("PersistentVolumeClaim data-db-0", "Deployment checkout")
    ]


def test_a_node_that_alerted_is_followed_by_who_suffers_on_it_and_by_nobody_else():
    node = symptom("Node worker-3", "disk_io_slow_or_failing", "worker-3 answers slowly", 0.95,
                   victims=["StatefulSet data/db", "Deployment shop/mail"])  # fmt: skip
    told = run(
        request(alert("", labels={"node": "worker-3"}, title="worker-3 is slow")),
        FakeSkill(sees=looks(node, suffers(CHECKOUT, "Service data/db"), edges=[edge(CHECKOUT, "Service data/db")])),
    ).chain
    assert [(k.source.name, k.target.name) for k in told] == [("worker-3", "db"), ("db", "checkout")]


def test_of_two_faults_at_once_each_has_its_way():
    mail = symptom("Deployment shop/mail", "image_not_found", "mail cannot pull its image, not found", 0.97)
    finding = run(
        request(alert("checkout"), alert("mailer", fingerprint="f2")),
        FakeSkill(sees=looks(OOM, mail, edges=[*CALLS, edge("Deployment shop/mailer", "Service shop/mail")])),
    )
    assert {c.entity.name for c in finding.causes} == {"cart", "mail"}
    assert {(k.source.name, k.target.name) for k in finding.chain} == {("cart", "checkout"), ("mail", "mailer")}
