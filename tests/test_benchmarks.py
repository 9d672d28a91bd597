"""The table of timings: each row stands for itself."""

import pytest

from benchmarks import __main__ as benchmarks
from capsviz.training import precision


def broken() -> tuple[float, float, float]:
    raise TimeoutError("Page.wait_for_function: Timeout 30000ms\n| exceeded")


def fine() -> tuple[float, float, float]:
    return 1.04, 2.0, 3.25


ROWS = [("the one", fine, ""), ("the other", broken, "9 ms"), ("the last", fine, "4 ms")]


def test_a_row_that_fails_is_named_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(benchmarks, "ROWS", ROWS)
    assert benchmarks.main() == 1
    printed = capsys.readouterr()
    rows = [line for line in printed.out.splitlines() if line.startswith("| the")]
    assert rows == [
        "| the one | 2.0 | 1.0 to 3.2 |  |",
        "| the other | failed: TimeoutError, Page.wait_for_function: Timeout 30000ms / exceeded |  | 9 ms |",
        "| the last | 2.0 | 1.0 to 3.2 | 4 ms |",
    ]
    assert "1 of the rows could not be measured." in printed.out
    assert "Traceback" in printed.err


@pytest.mark.parametrize("chosen", ["fine", "test_benchmarks"])
def test_rows_are_chosen_by_their_name_or_module(
    chosen: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    rows = [row for row in ROWS if row[1] is fine] if chosen == "test_benchmarks" else ROWS
    monkeypatch.setattr(benchmarks, "ROWS", rows)
    assert benchmarks.main([chosen if chosen == "fine" else fine.__module__]) == 0
    said = capsys.readouterr().out
    assert said.count("| 2.0 | 1.0 to 3.2 |") == 2
    assert "the other" not in said
    assert "could not" not in said


@pytest.mark.parametrize(
    ("has", "share", "said"),
    [
        ([], 0.5, "in single precision: this processor has no products of bfloat16."),
        (["avx512_bf16"], 1.7, "in single precision: a product by avx512_bf16 takes 170% of the time."),
        (
            ["amx_bf16", "avx512_bf16"],
            0.2,
            "in bfloat16: a product by amx_bf16 or avx512_bf16 takes 20% of the time.",
        ),
    ],
)
def test_the_table_says_which_products_training_uses(
    has: list[str],
    share: float,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    for module in (benchmarks, precision):
        monkeypatch.setattr(module, "instructions", lambda: has)
        monkeypatch.setattr(module, "share_of_time", lambda: share)
    monkeypatch.setattr(benchmarks, "ROWS", [])
    assert benchmarks.main() == 0
    assert f"Training multiplies {said}\n\n| what |" in capsys.readouterr().out
