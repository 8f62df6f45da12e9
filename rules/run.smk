"""What a run does at its beginning and at its end."""

from shapednoise.workflow.checksums import end


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


onstart:
    lock_results()


onsuccess:
    record_results()


onerror:
    record_results()
