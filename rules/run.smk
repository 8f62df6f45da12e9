"""What a run checks and does at its beginning, and does at its end."""

from shapednoise.errors import UserError, cannot_write
from shapednoise.log import keep_trackers_offline, require_tracker
from shapednoise.workflow.checksums import end
from shapednoise.workflow.pins import other_array, other_download, other_weights
from shapednoise.workflow.project import own_results

if CONFIG.offline:
    keep_trackers_offline()
if not DEPLOYMENT:  # whose environments have packages of their own
    try:
        require_tracker(CONFIG.engine.tracker)
    except UserError as error:
        sys.exit(f"error: {error}")


def as_recorded(other, name):
    """No inputs; what another config has put under a name ends the run, before the first job is run or queued."""
    try:
        problem = other(LAYOUT, name)
    except UserError as error:
        problem = error
    if problem:
        sys.exit(f"error: {problem}")
    return []


def lock_results():
    """Make the results folder this run's until it ends. Snakemake starts its jobs without this."""
    try:
        own_results(CONFIG)
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {cannot_write(error)}")


def record_results():
    """Write down the sha256 of what was made. Without room for it the results are there all the same."""
    try:
        end(Path(RESULTS))
    except (UserError, OSError) as error:
        print(f"warning: the sha256 of results are not recorded ({error})", file=sys.stderr)


def say_where_to_look():
    """Where the figures and claims of a run are, as far as there are any, and how to send them."""
    overlays = " ".join(map(os.path.relpath, workflow.overwrite_configfiles)) or "config.yaml"
    for what, name in (("figures", "figures"), ("claims", "claims.md")):
        if Path(RESULTS, name).exists():
            print(f"{what}: {RESULTS}/{name}", file=sys.stderr)
    if Path(RESULTS, "claims.md").exists() and Path("Makefile").exists():
        print(f"one file to mail: make report CONFIG={shlex.quote(overlays)}", file=sys.stderr)


onstart:
    lock_results()


onsuccess:
    record_results()
    say_where_to_look()


onerror:
    record_results()


def followed(hook, own):
    """A hook of the caller's, and after it ours."""
    return lambda log: (hook(log), own())


if IS_MODULE:  # of which Snakemake calls no hooks; one that the caller defines later calls ours
    workflow._onstart = followed(workflow._onstart, lock_results)
    workflow._onsuccess = followed(workflow._onsuccess, record_results)
    workflow._onerror = followed(workflow._onerror, record_results)
