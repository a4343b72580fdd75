"""A backbone of your own: any encoder-decoder of transformers, here a small T5 from scratch.

python examples/own_backbone.py
"""

from transformers import T5Config, T5ForConditionalGeneration

from ltrgr import train
from ltrgr.corpus.demo import generate_demo


def small_t5(*, vocabulary, width, layers, heads, feed_forward, dropout, **_):
    """A T5 with random weights, sized by the settings of ``model=tiny``.

    ``vocabulary`` is known only when the corpus is indexed; the keywords come from the config.
    """
    tokenizer = vocabulary.tokenizer
    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=len(vocabulary),
            d_model=width,
            d_kv=width // heads,
            d_ff=feed_forward,
            num_layers=layers,
            num_heads=heads,
            dropout_rate=dropout,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            decoder_start_token_id=tokenizer.bos_token_id,
        )
    )


OVERRIDES = [
    "budget=smoke",  # seconds; leave it out to train for minutes
    "model.backbone.network._target_=own_backbone.small_t5",
]


def main():
    corpus = generate_demo(passages=80, train_questions=200, dev_questions=20, test_questions=20)
    retriever = train(corpus, root="runs/examples", overrides=OVERRIDES)
    parameters = sum(weights.numel() for weights in retriever.model.parameters())
    print(f"{type(retriever.model).__name__} with {parameters:,} parameters")
    question = corpus.test.queries[0].text
    print(question)
    for hit in retriever.search(question, k=3):
        print(f"{hit.score:8.1f}  {hit.title}")


if __name__ == "__main__":
    main()
