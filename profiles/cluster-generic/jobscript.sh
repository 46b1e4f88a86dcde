#!/bin/sh
# properties = {properties}
# Filled in by Snakemake: what a job runs. How it ended is left where status.sh finds it.
cd "${{PBS_O_WORKDIR:-${{SGE_O_WORKDIR:-.}}}}" || exit 1
ending=".snakemake/cluster/${{PBS_JOBID:-$JOB_ID}}.ending"
# A job that was put back into the queue starts again.
rm -f "$ending" "${{ending%.ending}}.absent"
({exec_job})
status=$?
# Whole or absent: it is read while it is written.
echo "$status" > "$ending.new" && mv "$ending.new" "$ending"
exit "$status"
