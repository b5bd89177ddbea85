"""Stand-ins for what two loaders need a GPU for; on PYTHONPATH for the processes of test_v17_loaders.py alone.

Python imports this module when it starts. Nothing changes until one of the two packages is imported:

* AutoGPTQ 0.4.2: ``device`` looks for a GPU in the device map and ``generate`` autocasts for one.
* ExLlama 0.1.0: ``exllama_ext`` is compiled with CUDA, and every layer is mapped to ``cuda:0``. The functions of the
  compiled module do nothing here: a model loads and has its real tables, a forward pass has no meaning.
"""

import importlib.machinery
import sys
import types
import weakref

COMPILED = "exllama_ext"
COMPILED_FUNCTIONS = (
    "set_tuning_params prepare_buffers make_q4 q4_matmul q4_matmul_lora half_matmul half_matmul_cublas q4_mlp q4_attn "
    "q4_attn_2 rms_norm rope_ rep_penalty apply_rep_penalty cleanup"
).split()


def _auto_gptq(module):
    import torch

    def generate(self, **kwargs):
        with torch.inference_mode():
            return self.model.generate(**kwargs)

    module.BaseGPTQForCausalLM.device = property(lambda self: self.model.device)
    module.BaseGPTQForCausalLM.generate = generate


def _exllama_model(module):
    class CpuDeviceMap(module.ExLlamaDeviceMap):
        def __init__(self, num_layers):
            super().__init__(num_layers)
            self.embed_tokens = self.lm_head = self.norm = "cpu"
            self.layers = ["cpu"] * num_layers

    alive = weakref.WeakSet()

    class CountedExLlama(module.ExLlama):
        """Says how many others were still in memory when it was built."""

        def __init__(self, config):
            print(f"ExLlama built beside {len(alive)} others", flush=True)
            super().__init__(config)
            alive.add(self)

    module.ExLlamaDeviceMap = CpuDeviceMap
    module.ExLlama = CountedExLlama


def _compiled_exllama():
    import torch.utils.cpp_extension as builder

    compiled, build = types.ModuleType(COMPILED), builder.load
    for name in COMPILED_FUNCTIONS:
        setattr(compiled, name, lambda *args, **kwargs: None)
    sys.modules[COMPILED] = compiled
    builder.load = lambda name, *args, **kwargs: compiled if name == COMPILED else build(name, *args, **kwargs)


BEFORE = {"exllama.cuda_ext": _compiled_exllama}
AFTER = {"exllama.model": _exllama_model, "auto_gptq.modeling._base": _auto_gptq}


class _StandIns:
    """Finds modules as Python does, and steps in before or after they run."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in BEFORE:
            BEFORE[name]()
        if name not in AFTER:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            run = spec.loader.exec_module

            def exec_module(module):
                run(module)
                AFTER[name](module)

            spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _StandIns)
