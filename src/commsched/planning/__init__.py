"""From a ledger to a plan, purely: fold -> propose -> review -> place."""
