"""What a model reads of a result: everything that matters, once."""

from skills.contract import Edge, Excerpt, FirstLook
from tests.agent.company import entity, symptom
from workers.agent import render
from workers.agent.evidence import Ledger
from workers.agent.topology import Topology

LINE = '{"level":"error","msg":"upstream call failed","peer":"cart","error":"connection refused"}'
OOM = symptom("Deployment shop/cart", "memory_limit_too_low", "cart is OOMKilled", 0.95)


def read(look: FirstLook) -> str:
    ledger = Ledger()
    seen = ledger.take("made-up", "first_look", look)
    return "\n".join([render.summary(seen, ledger), *render.body(seen, ledger)])


def test_a_line_that_has_a_number_is_shown_once():
    page = read(FirstLook(text=f"2 lines\nNEW x2 checkout: {LINE}", evidence=(Excerpt(text=LINE, query="errors"),)))
    assert page == f"2 lines\nNEW x2 checkout: [E1]\n[E1] {LINE}"


def test_what_a_symptom_says_is_not_said_by_the_summary_as_well():
    page = read(FirstLook(text="1 candidate\ncause 0.95: cart is OOMKilled", symptoms=(OOM,)))
    assert page.startswith("1 candidate\n[E1] cart is OOMKilled\n<symptoms>")


def test_a_flood_of_lines_does_not_hide_what_symptoms_rest_on():
    flood = tuple(Excerpt(text=f"pod {i} restarted", query="pods") for i in range(2 * render.LINES))
    page = read(FirstLook(text="many", evidence=flood, symptoms=(OOM,)))
    assert "] cart is OOMKilled\n" in page
    assert f"… {render.LINES + 1} more lines in the record" in page


def test_that_a_service_has_its_own_workload_behind_it_takes_no_line():
    own = Edge(entity("Service shop/cart"), entity("Deployment shop/cart"), "selector")
    other = Edge(entity("Service shop/cart"), entity("Deployment shop/basket"), "selector")
    assert Topology(Ledger()).telling((own, other)) == (other,)


def test_that_a_service_has_a_stateful_set_behind_it_is_told():
    store = Edge(entity("Service shop/cart-db"), entity("StatefulSet shop/cart-db"), "selector")
    assert Topology(Ledger()).telling((store,)) == (store,)
