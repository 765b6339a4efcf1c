"""Steps of the library `transformers` at its defaults, without torch, against a served park; see hub_steps.py."""

from __future__ import annotations

import os
from typing import Any, ClassVar

import numpy as np
from client_walk import PROJECT, STRANGER, fails, step, walk, work
from huggingface_hub import HfApi, ModelCard, hf_hub_download, metadata_update
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoTokenizer, GPT2Config, PreTrainedTokenizerFast, ProcessorMixin

MODEL = f"{PROJECT}/model-{os.getpid()}"
TEXTS = ("sand dunes of the desert", "sun and wind and salt")
api = HfApi()


def tokenizer() -> PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE(unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    made.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=100, special_tokens=["[UNK]", "[PAD]"]))
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]")


def push_and_load() -> None:
    config = GPT2Config(n_layer=2, n_head=2, n_embd=32, vocab_size=100, bos_token_id=0, eos_token_id=0)
    step("push_to_hub of a configuration", lambda: config.push_to_hub(MODEL, private=True))
    step("AutoConfig.from_pretrained", lambda: AutoConfig.from_pretrained(MODEL).n_embd, 32)
    words = tokenizer()
    first = step("push_to_hub of a tokenizer", lambda: words.push_to_hub(MODEL).oid)
    step("push_to_hub again, nothing new", lambda: words.push_to_hub(MODEL).oid, first)
    known = step("AutoTokenizer.from_pretrained", lambda: AutoTokenizer.from_pretrained(MODEL))
    step("it reads alike", lambda: known(TEXTS[1]).input_ids, words(TEXTS[1]).input_ids)
    step("Tokenizer.from_pretrained", lambda: Tokenizer.from_pretrained(MODEL).get_vocab_size(), len(words))
    step("AutoConfig, a revision", lambda: AutoConfig.from_pretrained(MODEL, revision=first).n_layer, 2)

    class Reader(ProcessorMixin):
        attributes: ClassVar = ["tokenizer"]
        tokenizer_class = "PreTrainedTokenizerFast"

        def __init__(self, tokenizer: Any) -> None:
            super().__init__(tokenizer)

    step("push_to_hub of a processor", lambda: Reader(words).push_to_hub(MODEL))
    step("from_pretrained of a processor", lambda: Reader.from_pretrained(MODEL).tokenizer.pad_token, "[PAD]")
    fails("a stranger", OSError, lambda: AutoConfig.from_pretrained(MODEL, token=STRANGER, cache_dir=work))
    fails("no such model", OSError, lambda: AutoTokenizer.from_pretrained(f"{PROJECT}/nothing"))
    fails("no such revision", OSError, lambda: AutoConfig.from_pretrained(MODEL, revision="nope"))


def weights() -> None:
    weights = {"wte": np.arange(3_200, dtype=np.float32).reshape(100, 32), "bias": np.ones(32, dtype=np.float16)}
    path = work / "model.safetensors"
    save_file(weights, path)
    put = lambda: api.upload_file(path_or_fileobj=path, path_in_repo=path.name, repo_id=MODEL)  # noqa: E731
    step("upload of safetensors", put)
    same = lambda: np.array_equal(load_file(hf_hub_download(MODEL, path.name))["wte"], weights["wte"])  # noqa: E731
    step("they come back", same, True)
    count = lambda: api.get_safetensors_metadata(MODEL).parameter_count  # noqa: E731
    step("get_safetensors_metadata, by ranges", count, {"F32": 3_200, "F16": 32})
    card = ModelCard("---\nlicense: apache-2.0\nlanguage: ar\ntags: [sand]\n---\n# A model\n")
    step("ModelCard.push_to_hub", lambda: card.push_to_hub(MODEL))
    step("metadata_update", lambda: metadata_update(MODEL, {"pipeline_tag": "text-generation"}))
    step("model_info: what it is for", lambda: api.model_info(MODEL).pipeline_tag, "text-generation")
    step("ModelCard.load", lambda: ModelCard.load(MODEL).data.pipeline_tag, "text-generation")
    api.delete_repo(MODEL)


if __name__ == "__main__":
    walk(push_and_load, weights)
