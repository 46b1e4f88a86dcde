#!/bin/sh
# properties = {properties}
# Snakemake fills in the command of a job. Its exit status goes to where status.sh reads it.
cd "${{PBS_O_WORKDIR:-${{SGE_O_WORKDIR:-.}}}}" || exit 1
ending=".snakemake/cluster/${{PBS_JOBID:-$JOB_ID}}.ending"
# A job that was put back into the queue starts again.
rm -f "$ending" "${{ending%.ending}}.absent"
({exec_job})
status=$?
# Renamed, so that nobody reads half of it.
echo "$status" > "$ending.new" && mv "$ending.new" "$ending"
exit "$status"
