"""Runs on this machine and on Slurm clusters: ``site`` is a cluster, ``plan`` a run that is to be launched, ``slurm`` renders and submits its jobs, ``local``
starts it here, ``watch`` finds that it hangs, ``processes`` are those of this machine."""
