"""What must not be copied says so, whoever tries."""

from __future__ import annotations

import copy
import pickle

import pytest

from openrouter_core.admission import Admission
from openrouter_core.limit.standard import LimitSettings, standard
from openrouter_core.unshared import Unshared


class Purse(Unshared):
    pass


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("what", [Purse(), [Purse()], Admission[int](standard(LimitSettings()), 0.0)])
def test_a_copy_is_refused_with_the_reason_and_a_remedy(way: object, what: object) -> None:
    assert callable(way)
    if way is copy.copy and isinstance(what, list):
        return
    with pytest.raises(TypeError, match=r"^(Purse|Admission) cannot be pickled or copied: .*redis_url"):
        way(what)
