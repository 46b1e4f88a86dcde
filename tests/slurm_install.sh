#!/bin/sh
# Installs the Debian packages that `make test-slurm` needs, if they are missing. Starts nothing.
set -eu
lacking=""
for program in munged slurmctld slurmd sbatch; do
    PATH="$PATH:/usr/sbin" command -v "$program" > /dev/null || lacking="$lacking $program"
done
if [ "$(id -u)" != 0 ]; then
    echo "A real Slurm needs root."
    exit 1
fi
if [ -z "$lacking" ]; then
    exit 0
fi
if ! command -v apt-get > /dev/null; then
    echo "Missing:$lacking. There is no apt-get here: install Slurm and munge yourself."
    exit 1
fi
echo "Missing:$lacking. Installing slurmctld, slurmd, slurm-client and munge with apt-get."
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || true
# With this runlevel the packages' scripts start no service.
if ! RUNLEVEL=1 apt-get install -qq -y --no-install-recommends \
    slurmctld slurmd slurm-client munge > /dev/null; then
    echo "apt-get could not install Slurm's packages."
    exit 1
fi
