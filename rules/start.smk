"""What happens before the first job: the results folder becomes this run's."""

from shapednoise.errors import UserError, cannot_write
from shapednoise.workflow.project import own_results


def lock_results():
    """Make the results folder this run's until it ends. Snakemake starts its jobs without this."""
    try:
        own_results(CONFIG)
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {cannot_write(error)}")


onstart:
    lock_results()


if (
    IS_MODULE
):  # of which Snakemake calls no onstart; one that the caller defines later calls lock_results
    before = workflow._onstart
    workflow._onstart = lambda log: (before(log), lock_results())
