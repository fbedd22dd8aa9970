"""The run as a job of a cluster: a script for SLURM and a manifest for Kubernetes, both around torchrun."""

from __future__ import annotations

import json
import re
import shlex
from math import ceil
from pathlib import Path

from engine.compiler.analysis import Analysis, in_bytes
from engine.compiler.analyze import analyze
from engine.compiler.module import check_trainable
from engine.compiler.plan import make_plan
from engine.compiler.resolve import resolve
from engine.errors import FileError
from engine.export import Weights
from engine.graph.document import Document
from engine.graph.files import needed_files
from engine.storage.atomic import replacing, write_text
from engine.storage.writing import to_json

MANIFEST_BYTES = 900_000
"""A document of more cannot travel inside of a manifest: Kubernetes takes maps of up to 1 MiB."""

GIB = 2**30

SLURM = """\
#!/bin/bash
# Trains {title} on a SLURM cluster:   sbatch {file}
# {document} lies beside this script. torchrun starts one process for each GPU of each machine, and each of
# them takes its share of every batch, so more of them change the speed and not the result.
{notes}
# Edit: machines, GPUs of each, cores and memory of each, the longest time.
#SBATCH --nodes=1
#SBATCH --gpus-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem={memory}G
#SBATCH --time=24:00:00
# #SBATCH --partition=gpu
# #SBATCH --account=project

# One torchrun on each machine. Two minutes before the time is over it is asked to end, which keeps a moment;
# where that was not the end of the training, the job queues again and goes on from there.
#SBATCH --job-name={name}
#SBATCH --ntasks-per-node=1
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log

set -uo pipefail

# Edit: whatever makes netwright and torchrun available, and where the run is written (a folder that every
# machine sees).
# module load cuda
# source "$HOME/netwright/bin/activate"
document="$SLURM_SUBMIT_DIR"/{quoted}
run="$SLURM_SUBMIT_DIR/{name}-run"

export OMP_NUM_THREADS="${{SLURM_CPUS_PER_TASK:-1}}"
export NCCL_DEBUG="${{NCCL_DEBUG:-WARN}}"
export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1  # or a restart finds the addresses of dead processes
{environment}
# One process for each GPU; without any, one for each machine.
processes="${{SLURM_GPUS_ON_NODE:-1}}"
head="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"
port="$((20000 + SLURM_JOB_ID % 20000))"

if [ -d "$run/moments" ]; then
  what=("$run" --resume)
else
  what=("$document" --out "$run")
fi

ended=""
trap 'ended=yes; kill -TERM "$step"' TERM
srun --kill-on-bad-exit=1 torchrun \\
  --nnodes="$SLURM_JOB_NUM_NODES" \\
  --nproc-per-node="$processes" \\
  --rdzv-id="$SLURM_JOB_ID" \\
  --rdzv-backend=c10d \\
  --rdzv-endpoint="$head:$port" \\
  --max-restarts=3 \\
  --no-python netwright train "${{what[@]}}"{trust} &
step="$!"
wait "$step"
code="$?"

# The clock ended it: wait until the moment is kept, then in line again.
if [ -n "$ended" ]; then
  wait "$step"
  code="$?"
  [ -d "$run/moments" ] && scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"""

KUBERNETES = """\
# Trains {title} on Kubernetes:   kubectl apply -f {file}
# torchrun starts one process for each GPU of each pod, and each of them takes its share of every batch, so
# more of them change the speed and not the result. Look on with:   kubectl logs -f job/{name}
{notes}
# Edit what is marked so.
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}-document
data:
  document.netwright: |
{text}
---
# The run folder. Several pods need storage that all of them can write.
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {name}-run
spec:
  accessModes: [ReadWriteMany]  # Edit: ReadWriteOnce does for one pod
  # storageClassName: standard  # Edit: what your cluster offers
  resources:
    requests:
      storage: 20Gi  # Edit
---
# Gives the pods names by which they find one another.
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    job-name: {name}
  ports:
    - name: rendezvous
      port: 29500
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
spec:
  completionMode: Indexed
  completions: 1  # Edit: pods; the same number in three places
  parallelism: 1  # Edit
  backoffLimit: 6
  template:
    metadata:
      labels:
        app: {name}
    spec:
      subdomain: {name}
      restartPolicy: OnFailure
      terminationGracePeriodSeconds: 120
      containers:
        - name: train
          image: netwright:latest  # Edit: an image in which `netwright` is installed
          command: [/bin/bash, -c]
          args:
            - |
              if [ -d /run-folder/run/moments ]; then
                what=(/run-folder/run --resume)
              else
                what=(/document/document.netwright --out /run-folder/run)
              fi
              exec torchrun \\
                --nnodes="$PODS" \\
                --nproc-per-node="$PROCESSES" \\
                --rdzv-id={name} \\
                --rdzv-backend=c10d \\
                --rdzv-endpoint={name}-0.{name}:29500 \\
                --max-restarts=3 \\
                --no-python netwright train "${{what[@]}}"{trust}
          env:
            - name: PODS
              value: "1"  # Edit
            - name: PROCESSES
              value: "1"  # Edit: GPUs of a pod
            - name: OMP_NUM_THREADS
              value: "8"
            - name: NCCL_DEBUG
              value: WARN
            - name: TORCH_DISABLE_SHARE_RDZV_TCP_STORE  # or a restart finds the addresses of dead processes
              value: "1"{environment}
          resources:
            requests:
              cpu: "8"
              memory: {memory}Gi
            limits:
              memory: {memory}Gi
              nvidia.com/gpu: 1  # Edit: GPUs of a pod; without any, delete this line
          volumeMounts:
            - name: document
              mountPath: /document
            - name: run
              mountPath: /run-folder
            - name: shared-memory
              mountPath: /dev/shm
      volumes:
        - name: document
          configMap:
            name: {name}-document
        - name: run
          persistentVolumeClaim:
            claimName: {name}-run
        - name: shared-memory
          emptyDir:
            medium: Memory
            sizeLimit: 8Gi
"""


def write_slurm(document: Document, path: Path, weights: Weights | None = None) -> str:
    """Write the script, and beside it ``NAME.netwright`` with the document that it trains.

    Raises CompileError for a document that cannot be trained.
    """
    _check(document)
    beside = path.with_suffix(".netwright")
    text = SLURM.format(
        title=_title(document),
        file=_plain(path.name),
        document=_plain(beside.name),
        quoted=shlex.quote(beside.name),
        trust=_trust(document),
        name=job_name(document),
        notes=_notes(document),
        memory=_memory(document),
        environment=_environment(document, 'export HF_HOME="${HF_HOME:-$SLURM_SUBMIT_DIR/huggingface}"\n'),
    )
    with replacing(beside) as temporary:
        write_text(temporary, to_json(document))
        write_text(path, text)
    return f"the document is {beside.name} beside it; what to edit stands in its comments"


def write_kubernetes(document: Document, path: Path, weights: Weights | None = None) -> str:
    """Write a manifest that holds the document, its storage, a service and the job.

    Raises FileError for a document that is too large for one, CompileError for one that cannot be trained.
    """
    _check(document)
    text = to_json(document)
    if len(text.encode()) > MANIFEST_BYTES:
        raise FileError(
            f"The document takes {in_bytes(len(text.encode()))}, and a manifest of Kubernetes holds less "
            f"than {in_bytes(MANIFEST_BYTES)}: put the document into an image or a volume and name it there."
        )
    manifest = KUBERNETES.format(
        title=_title(document),
        file=_plain(path.name),
        name=job_name(document),
        notes=_notes(document),
        memory=_memory(document),
        trust=_trust(document),
        text="\n".join(f"    {line}" if line else "" for line in text.splitlines()),
        environment=_environment(
            document, "\n            - name: HF_HOME\n              value: /run-folder/huggingface"
        ),
    )
    write_text(path, manifest)
    return "the document is part of it; what to edit stands in its comments"


def _check(document: Document) -> None:
    """Find out now, and not hours later in a queue, whether this can be trained."""
    check_trainable(document)
    make_plan(document, resolve(document))


def job_name(document: Document) -> str:
    """Return the document's name as clusters allow it: small letters, digits and hyphens, at most 40."""
    name = re.sub(r"[^a-z0-9]+", "-", document.name.lower()).strip("-")[:40].strip("-")
    return name if name[:1].isalpha() else f"run-{name}".strip("-")


def _title(document: Document) -> str:
    """The document's name, printable and in one line, so that it cannot leave a comment."""
    name = "".join(each for each in document.name if each.isprintable())
    return json.dumps(name or "a network", ensure_ascii=False)


def _notes(document: Document) -> str:
    """Comments on what the document takes and needs."""
    analysis: Analysis = analyze(document)
    rows = document.training.batch_size
    lines = [
        f"# It has {analysis.total_parameters:,} parameters and takes about "
        f"{in_bytes(analysis.footprint.total)} to train with batches of {rows:,} rows.",
        f"# The batch is shared out: with 8 processes each takes {ceil(rows / 8):,} of its {rows:,} rows.",
    ]
    for needed in needed_files(document):
        title = document.nodes[needed.node].title if needed.node else "the first weights"
        lines.append(
            f"# For {_plain(title)}, {_plain(str(needed.path))} has to lie under the same path there."
        )
    return "\n".join(lines)


def _environment(document: Document, line: str) -> str:
    """A line about the cache of hub data sets, where the document names one."""
    return line if any("hub" in node.type.lower() for node in document.nodes.values()) else ""


def _trust(document: Document) -> str:
    """Python code in the document is off unless somebody says so; who exports it has drawn it."""
    return " --trust" if document.customs else ""


def _memory(document: Document) -> int:
    """Gigabytes of memory to ask for: twice what training takes, and room for the program."""
    return max(8, 4 + ceil(2 * analyze(document).footprint.total / GIB))


def _plain(text: str) -> str:
    return "".join(each for each in text if each.isprintable())
