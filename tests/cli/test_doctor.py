from __future__ import annotations

import re
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ltrgr.cli import doctor as room
from ltrgr.cli.doctor import NotUsableError, doctor
from ltrgr.cli.main import main
from ltrgr.index import storage as index_storage
from ltrgr.pipeline.artefact import Artefact
from ltrgr.pipeline.environment import package_versions
from ltrgr.pipeline.generation_check import Validation
from ltrgr.pipeline.processor import described


def examine(root: Path, conf: Path, **settings: object) -> str:
    out = StringIO()
    doctor(root=root, conf=conf, console=Console(file=out, width=200), **settings)  # type: ignore[arg-type]
    return out.getvalue()


def test_a_usable_installation_is_told_with_its_versions(tmp_path: Path, conf: Path) -> None:
    text = examine(tmp_path / "runs", conf, wandb_mode="offline", free_gb=0.0)
    for name in ("torch", "numba", "hydra-core"):
        assert package_versions()[name] in text  # type: ignore[operator]
    assert f"{conf} (6 files)" in text
    assert "nothing yet at" in text
    assert "cores" in text
    assert "cpu    " in text and described() in " ".join(text.split())


def test_cached_begun_and_broken_artefacts_are_counted(tmp_path: Path, conf: Path) -> None:
    root = tmp_path / "runs"
    for seed in (0, 1):
        one = Artefact(root=root, stage="rank", inputs={"seed": seed})
        one.build(lambda partial: (partial / "weights").write_bytes(bytes(1_000_000)))
    (one.directory / "DONE.json").unlink()
    one.build(lambda partial: None)
    begun = Artefact(root=root, stage="rank", inputs={"seed": 2})
    with pytest.raises(RuntimeError), begun.writing():
        raise RuntimeError
    text = examine(root, conf, free_gb=0.0)
    assert "2 done (1.0 MB), 1 begun (0.0 MB; the same command goes on), 1 broken (1.0 MB)" in text
    assert f"rm -r {root}/rank/*.broken-*" in text


def test_an_index_of_another_format_is_not_called_done(tmp_path: Path, conf: Path) -> None:
    root = tmp_path / "runs"
    for version in (index_storage.VERSION, index_storage.VERSION - 1):
        one = Artefact(root=root, stage="index", inputs={"was": version}, version=version)
        one.build(lambda partial: (partial / "rows").write_bytes(bytes(1_000_000)))
    text = examine(root, conf, free_gb=0.0)
    assert "1 done (1.0 MB), 1 of another format (1.0 MB; built again when it is next used)" in text


def test_the_map_tells_which_artefact_is_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltrgr.cli.commands.out", Console(width=160))
    network = {"call": "a:bart_from_scratch", "width": 128, "layers": 2}
    model = Artefact(
        root=tmp_path,
        stage="pretrain",
        inputs={"index": "0" * 64, "network": network, "settings": {"seed": 3, "steps": 77}},
    )
    lists = Artefact(root=tmp_path, stage="mine", inputs={"model": model.fingerprint})
    for one in (model, lists):
        one.build(lambda partial: (partial / "weights").write_bytes(bytes(2_000_000)))
    assert main(["doctor", f"root={tmp_path}"]) == 0
    tree = capsys.readouterr().out.splitlines()
    assert f"pretrain/{model.directory.name}  done  bart_from_scratch 128x2, seed 3" in tree[1]
    assert re.search(r"steps=77  2\.0 MB, \d+ s old", tree[1])
    assert tree[2].startswith(f"    └── mine/{lists.directory.name}  done")


def test_missing_packages_and_configs_are_fatal_and_name_their_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "package_versions", lambda: {"transformers": None, "wandb": None})
    with pytest.raises(NotUsableError) as caught:
        examine(tmp_path, tmp_path / "nowhere", free_gb=0.0)
    assert str(caught.value).splitlines() == [
        "2 problem(s) to fix:",
        "transformers: not installed; run: pip install transformers",
        "configs: no configs there; run, in the checkout: pip install --force-reinstall .",
    ]


def test_missing_data_and_key_are_told_but_not_fatal(
    tmp_path: Path, conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    text = examine(tmp_path, conf, data=[tmp_path / "no"], wandb_mode="online", free_gb=0.0)
    assert "corpus.path=..." in text
    assert "wandb login" in text


def test_a_full_disk_is_fatal(tmp_path: Path, conf: Path) -> None:
    with pytest.raises(NotUsableError, match="less than 1e\\+09 GB"):
        examine(tmp_path, conf, free_gb=1e9)


def test_numba_keeps_its_code_where_it_is_told_to() -> None:
    found = room.numba_cache()
    assert found.problem == ""
    assert any(Path(found.value).glob("doctor._one_more*"))


def test_a_stage_one_that_does_not_generate_is_told_but_not_fatal(
    tmp_path: Path, conf: Path
) -> None:
    root = tmp_path / "runs"
    shares = {"poor": 0.19, "good": 0.2, "unjudged": None, "begun": 0.0}
    made: dict[str, Artefact] = {}
    for name, share in shares.items():
        one = made[name] = Artefact(root=root, stage="pretrain", inputs={"name": name})
        with suppress(InterruptedError), one.writing() as partial:
            assert partial is not None
            if share is not None:
                figures = {"dev/identifier_accuracy/title": share}
                Validation(step=9, monitor="dev/token_accuracy", figures=figures).save(partial)
            if name == "begun":
                raise InterruptedError
    text = examine(root, conf, free_gb=0.0)
    assert text.count("has not learnt to generate") == 1
    assert "title 19 %" in text
    (line,) = [line for line in text.splitlines() if "stage-1 model" in line]
    assert made["poor"].directory.name in line


def test_folders_with_markup_in_their_names_are_shown(tmp_path: Path, conf: Path) -> None:
    root = tmp_path / "runs"
    Artefact(root=root, stage="[x]\x1b", inputs={}).build(lambda partial: None)
    assert r"cached [x]\x1b" in examine(root, conf, free_gb=0.0)
