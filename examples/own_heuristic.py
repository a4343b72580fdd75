"""A heuristic of your own: what a key's log odds are worth, in search and in training.

python examples/own_heuristic.py
"""

from dataclasses import replace

from ltrgr import train
from ltrgr.corpus.demo import generate_demo


def saturating(gain):
    """Log odds with diminishing returns, instead of their square.

    Search calls it with numpy arrays, training with torch tensors: plain arithmetic serves both.
    """
    return 100 * gain / (10 + gain)


OVERRIDES = [
    "budget=smoke",  # seconds; leave it out to train for minutes
    "scoring.transform={_target_: hydra.utils.get_method, path: own_heuristic.saturating}",
]


def main():
    print("log odds   squared   saturating")
    for gain in (1.0, 5.0, 20.0):
        print(f"{gain:8.0f} {gain**2:9.0f} {saturating(gain):12.0f}")

    corpus = generate_demo(passages=80, train_questions=200, dev_questions=20, test_questions=20)
    own = train(corpus, root="runs/examples", overrides=OVERRIDES)
    usual = own.with_(scoring=replace(own.scoring, transform=None))
    question = corpus.test.queries[0].text
    print(question)
    for name, retriever in (("saturating", own), ("squared", usual)):
        hits = retriever.search(question, k=3)
        print(f"{name:>10}: " + ", ".join(f"{hit.title} {hit.score:.0f}" for hit in hits))


if __name__ == "__main__":
    main()
