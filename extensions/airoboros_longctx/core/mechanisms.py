"""How a scaling gets into a model."""

PATCH = "patch"  # ours: replace_llama_rope_with_scaled_rope before the load, or the live model in place
LOADER_SETTING = "loader_setting"  # the loader's own knob (the host calls it compress_pos_emb)
MODEL_CONFIG = "model_config"  # config.json or GGUF metadata states it and the loader reads it: nothing to do
REMOTE_CODE = "remote_code"  # the model brings its own scaling code: left alone
SERVED = "served"  # a server elsewhere holds the model: nothing can be done or read from here
NONE = "none"  # not scaled
