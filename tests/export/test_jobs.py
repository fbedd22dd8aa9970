"""Jobs of a cluster: what a script and a manifest say, and that they are a script and a manifest."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from engine.errors import FileError
from engine.export import export
from engine.export.jobs import job_name
from engine.graph.build import Builder
from engine.storage.document_file import from_json, load_document
from main import main
from tests.training.documents import spirals

CLOCK = "sleep 9 & trap 'kill %1; exit 0' TERM; kill -TERM $PPID; wait; exit 1"
"""What a step of a job sees when its time is over: the script is told first."""


def _stand_in(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/bash\n{text}\n")
    (folder / name).chmod(0o755)


def _submit(script: Path, bin_: Path, *, signal: str = "") -> list[str]:
    """Run a script as SLURM would, with stand-ins for its programs, and return what they were called with."""
    called = script.with_name("called")
    called.unlink(missing_ok=True)
    _stand_in(bin_, "srun", f'echo "$@" >> "{called}"; {signal}')
    _stand_in(bin_, "scontrol", f'if [ "$1" = show ]; then echo n1; else echo "$@" >> "{called}"; fi')
    subprocess.run(
        ["bash", str(script)],
        env={
            "PATH": f"{bin_}:/usr/bin:/bin",
            "HOME": str(script.parent),
            "SLURM_SUBMIT_DIR": str(script.parent),
            "SLURM_JOB_NODELIST": "n[1-2]",
            "SLURM_JOB_NUM_NODES": "2",
            "SLURM_GPUS_ON_NODE": "4",
            "SLURM_JOB_ID": "21042",
        },
        check=True,
    )
    return called.read_text().splitlines()


def test_a_script_for_slurm_starts_torchrun_on_every_machine(tmp_path: Path) -> None:
    document = spirals()
    script = tmp_path / "my job.sbatch"
    told = export(document, script)
    assert "my job.netwright" in told
    assert load_document(tmp_path / "my job.netwright") == document
    (started,) = _submit(script, tmp_path / "bin")
    assert "--nnodes=2 --nproc-per-node=4" in started
    assert "--rdzv-backend=c10d --rdzv-endpoint=n1:21042 --max-restarts=3" in started
    assert started.endswith(f"train {tmp_path}/my job.netwright --out {tmp_path}/spirals-run")


def test_a_job_that_queued_again_goes_on_from_its_moment(tmp_path: Path) -> None:
    script = tmp_path / "job.sbatch"
    export(spirals(), script)
    (tmp_path / "spirals-run" / "moments").mkdir(parents=True)
    ended = _submit(script, tmp_path / "bin", signal=CLOCK)
    assert ended[0].endswith(f"train {tmp_path}/spirals-run --resume")
    assert ended[1:] == ["requeue 21042"]
    assert len(_submit(script, tmp_path / "bin")) == 1  # ended by itself: not again


def test_what_slurm_reads_stands_before_the_first_command(tmp_path: Path) -> None:
    export(spirals(), tmp_path / "job.sbatch")
    lines = (tmp_path / "job.sbatch").read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    first = next(place for place, line in enumerate(lines) if line and not line.startswith("#"))
    asked = [line for line in lines[:first] if line.startswith("#SBATCH")]
    assert not [line for line in lines[first:] if line.startswith("#SBATCH")]
    for name in ("nodes", "gpus-per-node", "cpus-per-task", "mem", "time", "signal", "requeue"):
        assert any(line.startswith(f"#SBATCH --{name}") for line in asked), name


@pytest.mark.parametrize("name", ["Spirals", "Größe: 3 {x}", 'a" #: b\n- c', "42", ""])
def test_a_manifest_for_kubernetes_holds_everything(tmp_path: Path, name: str) -> None:
    document = replace(spirals(), name=name)
    export(document, tmp_path / "job.yaml")
    text = (tmp_path / "job.yaml").read_text()
    config, claim, service, job = yaml.safe_load_all(text)
    assert from_json(config["data"]["document.netwright"]) == document
    kinds = [each["kind"] for each in (config, claim, service, job)]
    assert kinds == ["ConfigMap", "PersistentVolumeClaim", "Service", "Job"]
    assert service["spec"]["clusterIP"] == "None"
    assert job["spec"]["completionMode"] == "Indexed"
    pod = job["spec"]["template"]["spec"]
    assert pod["subdomain"] == service["metadata"]["name"] == service["spec"]["selector"]["job-name"]
    assert job["metadata"]["name"] == job_name(document)
    (container,) = pod["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert {each["name"] for each in container["env"]} >= {"PODS", "PROCESSES"}
    assert {each["name"] for each in pod["volumes"]} == {each["name"] for each in container["volumeMounts"]}
    assert f"--rdzv-endpoint={job_name(document)}-0.{job_name(document)}:29500" in container["args"][0]
    subprocess.run(["bash", "-n", "-c", container["args"][0]], check=True)


def test_the_memory_that_is_asked_for_follows_the_network(tmp_path: Path) -> None:
    builder = Builder("Wide")
    data = builder.add("Spirals")
    wide = builder.add("Linear", builder.add("Linear", data, out_features=30_000), out_features=30_000)
    scores = builder.add("Linear", wide, out_features=3)
    builder.add("CrossEntropyLoss", scores, data["label"])
    builder.train("Adam", lr=0.01, epochs=1, batch_size=64)
    for each in ("job.sbatch", "job.yaml"):
        export(builder.document(), tmp_path / each)
    asked = (tmp_path / "job.sbatch").read_text().partition("--mem=")[2].partition("G")[0]
    assert int(asked) > 20  # 3.6 GB of weights, their gradients and two averages, twice
    job = list(yaml.safe_load_all((tmp_path / "job.yaml").read_text()))[-1]
    assert job["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["memory"] == f"{asked}Gi"


def test_files_that_the_data_needs_are_named(tmp_path: Path) -> None:
    table = tmp_path / "a b.csv"
    table.write_text("x,y,label\n" + "".join(f"{n},{-n},{'ab'[n % 2]}\n" for n in range(40)))
    builder = Builder("Table")
    data = builder.add("CSV", path=str(table), target="label")
    scores = builder.add("Linear", data, out_features=2)
    builder.add("CrossEntropyLoss", scores, data["target"])
    builder.train("Adam", lr=0.01, epochs=1, batch_size=8)
    export(builder.document(), tmp_path / "job.sbatch")
    text = (tmp_path / "job.sbatch").read_text()
    assert f", {table} has to lie under the same path there." in text
    subprocess.run(["bash", "-n", str(tmp_path / "job.sbatch")], check=True)


def test_a_document_that_no_manifest_can_hold_is_refused(tmp_path: Path) -> None:
    document = replace(spirals(), notes="long " * 200_000)
    with pytest.raises(FileError, match="holds less than"):
        export(document, tmp_path / "job.yaml")
    assert not list(tmp_path.iterdir())


def test_both_come_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "preset:spirals", "--to", str(tmp_path / "job.yaml")]) == 0
    assert "Wrote job.yaml" in capsys.readouterr().out
    assert main(["export", "--help"]) == 0
    help_ = capsys.readouterr().out
    assert "slurm" in help_
    assert "kubernetes" in help_
    assert json.dumps(".sbatch")[1:-1] in help_


@pytest.mark.parametrize(
    ("name", "job"), [("Größe 3!", "gr-e-3"), ("7 b", "run-7-b"), ("", "run"), ("x" * 80, "x" * 40)]
)
def test_a_job_has_a_name_that_clusters_allow(name: str, job: str) -> None:
    assert job_name(replace(spirals(), name=name)) == job
