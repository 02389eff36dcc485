"""Slurm: what is rendered, and what is submitted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cluster import Cluster
from tests.training.sites import HERE, cluster_of, here, values, written
from training import cli, config
from training.errors import BadRecipe, BadSite, RunFailed
from training.fingerprint import fingerprint
from training.launch import site, slurm
from training.launch.plan import Plan, plan
from training.launch.site import Site

CODES = ("exp_2_111", "exp_2_101_70b", "exp_2_110_lora")
JOBS = (slurm.PREPARE, slurm.TRAIN, slurm.EXPORT)

# ---- files


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("job", JOBS)
def test_a_job_is_the_golden_one(code: str, job: str) -> None:
    cluster = cluster_of()
    planned = Plan(config.load(code), cluster.folders.runs, code)
    nodes = slurm.nodes_for(planned.recipe.batch.processes, cluster.gpu)
    assert slurm.render(job, planned, cluster, nodes) == (HERE / f"{code}.{job}.sbatch").read_text()


@pytest.mark.parametrize("path", sorted(HERE.glob("*.sbatch")), ids=lambda path: path.name)
def test_a_golden_job_is_a_shell_script(path: Path) -> None:
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("code", "nodes"), [("exp_2_111", 32), ("exp_2_101_70b", 64), ("exp_2_110_lora", 1)])
def test_nodes_times_gpus_are_the_recipes_processes(code: str, nodes: int) -> None:
    text = (HERE / f"{code}.train.sbatch").read_text()
    each = int(re.search(r"--nproc-per-node (\d+)", text)[1])  # type: ignore[index]
    assert f"#SBATCH --nodes={nodes}\n" in text
    assert f"--nnodes {nodes} " in text
    assert f"#SBATCH --gres=gpu:a100:{each}\n" in text
    assert nodes * each == config.load(code).batch.processes
    assert ("--exclusive" in text) == (each == 4)


@given(processes=st.integers(1, 300), gpus=st.integers(1, 8))
def test_nodes_hold_all_processes_or_the_recipe_is_refused(processes: int, gpus: int) -> None:
    gpu = cluster_of(gpu=values()["gpu"] | {"gpus_per_node": gpus}).gpu
    if processes > gpus and processes % gpus:
        with pytest.raises(BadSite, match="gpus_per_node"):
            slurm.nodes_for(processes, gpu)
        return
    found = slurm.nodes_for(processes, gpu)
    assert found.count * found.processes == processes
    assert found.are_whole == (found.processes == gpus)


def test_optional_keys_leave_no_trace(tmp_path: Path) -> None:
    cpu = {"partition": "cpu", "cpus": 4, "time": "01:00:00"}
    gpu = {"partition": "gpu", "gpus_per_node": 8, "cpus_per_gpu": 2, "time": "02:00:00"}
    text = written(tmp_path, cpu=cpu, gpu=gpu, network={}).read_text()
    for absent in ("--account", "--qos", "--constraint", "--mem", "--gres", "SOCKET_IFNAME", "NCCL_IB_HCA"):
        assert absent not in text
    assert "#SBATCH --gpus-per-node=1\n" in text


def test_a_fixed_port_and_a_container_are_taken(tmp_path: Path) -> None:
    container = ["apptainer", "exec", "--nv", "/images/le hia.sif"]
    text = written(tmp_path, network={"port": 29400}, container=container).read_text()
    assert "port=29400\n" in text
    prefix = f"apptainer exec --nv '/images/le hia.sif' {sys.executable} -m "
    assert [text.count(prefix + each) for each in ("training watch", "torch.distributed.run")] == [1, 1]


def test_odd_names_are_quoted_for_the_shell_and_for_slurm(tmp_path: Path) -> None:
    name = """it's 100 % "$(touch pwned)" \\ ona"""
    path = written(tmp_path, name)
    text = path.read_text()
    output = next(line for line in text.splitlines() if line.startswith("#SBATCH --output="))
    assert output.endswith("""it's 100 %% \\"$(touch pwned)\\" \\\\ ona/train-%j.out\"""")
    line = next(line for line in text.splitlines() if line.startswith("run="))
    said = subprocess.run(
        ["bash", "-c", f'{line}; printf %s "$run"'], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert said.stdout == str(tmp_path / name)
    assert not (tmp_path / "pwned").exists()


def test_the_recipe_is_frozen_as_it_is_launched(tmp_path: Path) -> None:
    recipe = config.resolved("exp_2_110_lora", ["schedule.seed=7"])
    planned = plan(recipe, tmp_path, None, resume=False)
    slurm.write(planned, here(tmp_path))
    assert fingerprint(config.load_file(planned.recipe_file)) == fingerprint(recipe)
    assert f"recipe={planned.recipe_file}\n" in (planned.folder / "train.sbatch").read_text()


def test_built_in_rows_need_no_preparing_and_exports_can_be_left_out(tmp_path: Path) -> None:
    planned = plan(config.load("txiki_110"), tmp_path, None, resume=False)
    assert list(slurm.write(planned, here(tmp_path))) == ["train", "export"]
    assert list(slurm.write(planned, here(tmp_path), export=False)) == ["train"]
    assert not (planned.folder / "export.sbatch").exists()


def test_a_run_that_is_there_is_gone_on_with_only_when_asked(tmp_path: Path) -> None:
    recipe = config.load("exp_2_110_lora")
    folder = tmp_path / "exp_2_110_lora"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    with pytest.raises(BadRecipe, match="--resume to go on"):
        plan(recipe, tmp_path, None, resume=False)
    assert plan(recipe, tmp_path, None, resume=True).run == folder
    with pytest.raises(BadRecipe, match="other values"):
        plan(config.resolved("exp_2_110_lora", ["schedule.seed=7"]), tmp_path, None, resume=True)


@pytest.mark.parametrize("name", ["../out", "/etc", ".launch", "", "a" * 121, "two\nlines"])
def test_a_name_that_is_no_folders_is_refused(tmp_path: Path, name: str) -> None:
    if name:
        with pytest.raises(BadRecipe, match="a run's name"):
            plan(config.load("txiki_110"), tmp_path, name, resume=False)
    else:
        assert plan(config.load("txiki_110"), tmp_path, name, resume=False).name == "txiki_110"


def test_processes_that_do_not_fit_together_are_refused_before_any_job_waits(tmp_path: Path) -> None:
    planned = plan(config.resolved("exp_2_111", ["batch.processes=64"]), tmp_path, None, resume=False)
    with pytest.raises(BadRecipe, match="4 copies of 32 shards are 128 processes and there are 64"):
        slurm.write(planned, here(tmp_path))
    assert not planned.folder.exists()


def test_a_path_that_a_jobs_file_cannot_hold_is_refused(tmp_path: Path) -> None:
    planned = plan(config.load("txiki_110"), tmp_path / "two\nlines", None, resume=False)
    with pytest.raises(BadRecipe, match="not a path that a job's file can hold"):
        slurm.write(planned, here(tmp_path))


def variables(text: str) -> dict[str, str]:
    """What a job's file exports, as the shell understands it."""
    lines = [line for line in text.splitlines() if line.startswith("export ")]
    said = subprocess.run(
        ["bash", "-c", "\n".join(lines) + "\nenv -0"], capture_output=True, text=True, check=True, env={}
    )
    return dict(each.split("=", 1) for each in said.stdout.split("\0") if each)


def test_jobs_get_folders_threads_and_the_network(tmp_path: Path) -> None:
    found = variables((HERE / "exp_2_111.train.sbatch").read_text())
    assert found["LEHIA_TRAINING_DATA"] == "/cluster/lehia 1/data"
    assert found["HF_HOME"] == "/scratch/lehia/it's here"
    assert found["OMP_NUM_THREADS"] == "8"
    assert found["NCCL_SOCKET_IFNAME"] == found["GLOO_SOCKET_IFNAME"] == "ib0"
    assert found["NCCL_IB_HCA"] == "mlx5_0,mlx5_1"
    prepared = variables((HERE / "exp_2_111.prepare.sbatch").read_text())
    assert not [name for name in prepared if "NCCL" in name or name == "OMP_NUM_THREADS"], (
        "it uses all processors"
    )


def test_the_clusters_own_variables_have_the_last_word(tmp_path: Path) -> None:
    cluster = cluster_of(environment={"NCCL_DEBUG": "INFO", "ODD": '$(touch pwned) `x` "y"'})
    planned = Plan(config.load("exp_2_110_lora"), tmp_path, "bat")
    text = slurm.render(slurm.TRAIN, planned, cluster, slurm.nodes_for(1, cluster.gpu))
    found = variables(text)
    assert found["NCCL_DEBUG"] == "INFO"
    assert found["ODD"] == '$(touch pwned) `x` "y"'


# ---- the cluster's file


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("gpu.gpus_per_node", 0, "greater than or equal to 1"),
        ("gpu.partition", "a b", "match pattern"),
        ("gpu.partition", "gpu\n#SBATCH --uid=0", "match pattern"),
        ("cpu.time", "two days", "match pattern"),
        ("cpu.options", ["--wrap=rm -rf"], "match pattern"),
        ("folders.runs", "runs", "not an absolute path"),
        ("folders.data", "/a\nb", "not one line"),
        ("activate", ["module load x\nrm"], "not one line"),
        ("environment", {"A B": "c"}, "match pattern"),
        ("network.port", 80, "greater than or equal to 1024"),
        ("limits.warning_s", 60, "greater than or equal to 120"),
        ("limits.restart", 3, "Extra inputs"),
        ("partition", "gpu", "Extra inputs"),
    ],
)
def test_a_bad_site_is_refused_by_its_key(tmp_path: Path, path: str, value: object, says: str) -> None:
    found = values()
    *above, last = path.split(".")
    inner = found
    for key in above:
        inner = inner[key]
    inner[last] = value
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(found))
    with pytest.raises(BadSite, match=rf"site\.yaml: {re.escape(path)}.*{says}"):
        site.read(tmp_path / "site.yaml")


@pytest.mark.parametrize("key", ["cpu", "gpu", "folders"])
def test_a_key_that_lacks_is_named(tmp_path: Path, key: str) -> None:
    found = values()
    del found[key]
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(found))
    with pytest.raises(BadSite, match=f"{key}: Field required"):
        site.read(tmp_path / "site.yaml")


@pytest.mark.parametrize("text", ["a: [", "- a\n", "", "\x00"])
def test_a_file_that_is_no_site_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "site.yaml").write_text(text)
    with pytest.raises(BadSite, match=r"site\.yaml"):
        site.read(tmp_path / "site.yaml")
    with pytest.raises(BadSite, match="No such file"):
        site.read(tmp_path / "inon.yaml")


def test_the_documented_site_can_be_used(repository: Path, tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", (repository / "docs" / "launch.md").read_text(), re.DOTALL)
    assert found
    (tmp_path / "site.yaml").write_text(found[1])
    documented = site.read(tmp_path / "site.yaml")
    for code in CODES:
        assert slurm.nodes_for(config.load(code).batch.processes, documented.gpu)
    assert set(Site.model_fields) == set(yaml.safe_load(found[1])), "every key is in the example"


# ---- submitting


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster.at(tmp_path / "bin")
    monkeypatch.setenv("PATH", found.path)
    return found


def launched(tmp_path: Path, *arguments: str) -> int:
    cluster = values() | {
        "folders": dict.fromkeys(("runs", "data", "base", "tokens"), str(tmp_path / "the runs"))
    }
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(cluster))
    site_file = str(tmp_path / "site.yaml")
    return cli.main(["launch", "exp_2_110_lora", "--on", "slurm", "--site", site_file, *arguments])


def test_jobs_wait_for_each_other(
    tmp_path: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launched(tmp_path, "--submit") == 0
    folder = tmp_path / "the runs" / ".launch" / "exp_2_110_lora"
    assert cluster.calls == [
        f"sbatch --parsable {folder}/prepare.sbatch",
        f"sbatch --parsable --dependency=afterok:101 --kill-on-invalid-dep=yes {folder}/train.sbatch",
        f"sbatch --parsable --dependency=afterok:102 --kill-on-invalid-dep=yes {folder}/export.sbatch",
    ]
    said = yaml.safe_load(capsys.readouterr().out)
    assert said["jobs"] == {"prepare": "101", "train": "102", "export": "103"}
    assert said["files"]["train"] == f"{folder}/train.sbatch"


def test_without_submit_nothing_is_asked_of_the_cluster(tmp_path: Path, cluster: Cluster) -> None:
    assert launched(tmp_path) == 0
    assert cluster.calls == []
    assert (tmp_path / "the runs" / ".launch" / "exp_2_110_lora" / "train.sbatch").exists()


def test_a_run_whose_jobs_are_queued_is_not_submitted_twice(
    tmp_path: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launched(tmp_path, "--submit") == 0
    (cluster.here / "queue").write_text("102\n103\n")
    assert launched(tmp_path, "--submit") == 2
    assert "in the queue already, as 102, 103" in capsys.readouterr().err
    (cluster.here / "queue").unlink()  # Slurm has forgotten them
    assert launched(tmp_path, "--submit") == 0
    assert len(cluster.asked("sbatch")) == 6


def test_what_was_submitted_is_taken_back_where_a_job_is_refused(
    tmp_path: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    (cluster.here / "refuse").write_text("export.sbatch")
    assert launched(tmp_path, "--submit") == 1
    assert "Invalid qos" in capsys.readouterr().err
    assert cluster.calls[-1] == "scancel 101 102"
    assert not (tmp_path / "the runs" / ".launch" / "exp_2_110_lora" / "jobs.json").exists()


def test_a_machine_without_slurm_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert launched(tmp_path, "--submit") == 1
    assert (
        "sbatch: No such file or directory; --submit takes a machine that has Slurm"
        in capsys.readouterr().err
    )


def test_slurm_takes_a_site(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["launch", "exp_2_111", "--on", "slurm"]) == 2
    assert "--site FILE" in capsys.readouterr().err


def test_the_steps_of_a_job_are_killed_and_its_script_is_left(cluster: Cluster) -> None:
    (cluster.here / "queue").write_text("101.batch\n101.extern\n101.0\n101.1\n")
    slurm.kill_steps("101")
    assert cluster.calls[-1] == "scancel --signal=KILL 101.0 101.1"
    (cluster.here / "queue").write_text("101.batch\n")
    slurm.kill_steps("101")
    assert len(cluster.asked("scancel")) == 1
    (cluster.here / "queue").unlink()
    with pytest.raises(RunFailed, match="Invalid job id"):
        slurm.kill_steps("101")


def test_a_new_launch_counts_hangs_anew(tmp_path: Path, cluster: Cluster) -> None:
    folder = tmp_path / "the runs" / ".launch" / "exp_2_110_lora"
    folder.mkdir(parents=True)
    (folder / "hangs.txt").write_text("one\n")
    assert launched(tmp_path, "--submit") == 0
    assert not (folder / "hangs.txt").exists()
