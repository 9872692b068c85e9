"""Who may be the same person, and why: the rules by which duplicates are found (C-13).

`traits(subject)` reads a person into the form that is compared; `blocking_keys(traits)` are the
keys of which two records of one person share at least one; `score(a, b)` weighs two people and
says why; `clusters(…)` groups what was found the same.
"""

from customer.domain.matching.clusters import clusters
from customer.domain.matching.keys import blocking_keys
from customer.domain.matching.scoring import Decision, Match, contradict, score
from customer.domain.matching.subject import Subject, Traits, traits
from customer.domain.matching.weights import Reason

__all__ = [
    "Decision",
    "Match",
    "Reason",
    "Subject",
    "Traits",
    "blocking_keys",
    "clusters",
    "contradict",
    "score",
    "traits",
]
