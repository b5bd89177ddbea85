"""How much memory is free, by device."""

from __future__ import annotations

from pathlib import Path

import torch


def free_bytes(device: str) -> int | None:
    """Bytes that can be had on ``device`` (``cpu``, ``cuda:0``, …) without taking them from anybody; None: unknown."""
    kind = torch.device(device).type
    if kind == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free) + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return _free_main_memory() if kind in ("cpu", "mps") else None


def _free_main_memory() -> int | None:
    try:
        import psutil

        return int(psutil.virtual_memory().available)
    except Exception:  # it comes with accelerate, and so with most webuis
        return _available_by_the_kernel()


def _available_by_the_kernel() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """True where ``error`` says that memory could not be had, on a GPU or in the main memory."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and "alloc" in str(error) and "memory" in str(error)


def give_memory_back() -> None:
    """Hand memory that PyTorch holds for later back to the GPU."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
