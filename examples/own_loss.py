"""A rank loss of your own: a function of scores, relevance and mask, named in the config.

python examples/own_loss.py
"""

import torch

from ltrgr import train
from ltrgr.corpus.demo import generate_demo


def squared_hinge(scores, relevance, mask, *, margin):
    """Mean of max(0, negative - positive + margin)^2 over the pairs of each list.

    All three tensors are [B, P]: B questions, P passages. ``mask`` leaves out padding.
    """
    positive, negative = (relevance > 0) & mask, (relevance <= 0) & mask
    pairs = positive[:, :, None] & negative[:, None, :]  # [B, P, P]: passage i before passage j
    gaps = torch.relu(scores[:, None, :] - scores[:, :, None] + margin)
    return (gaps.square() * pairs).sum() / pairs.sum().clamp(min=1)


# The two terms of LTRGR stay as they are, margin and samplers included; only the function changes.
OVERRIDES = [
    "budget=smoke",  # seconds; leave it out to train for minutes
    "loss.objective.terms.rank1.loss._target_=own_loss.squared_hinge",
    "loss.objective.terms.rank2.loss._target_=own_loss.squared_hinge",
]


def main():
    relevance, mask = torch.tensor([[1, 0]]), torch.tensor([[True, True]])
    for name, scores in (("right", [[5.0, 1.0]]), ("equal", [[3.0, 3.0]]), ("wrong", [[1.0, 5.0]])):
        loss = squared_hinge(torch.tensor(scores), relevance, mask, margin=1.0)
        print(f"loss of a list in {name} order: {loss:.0f}")

    corpus = generate_demo(passages=80, train_questions=200, dev_questions=20, test_questions=20)
    retriever = train(corpus, root="runs/examples", overrides=OVERRIDES)
    print(f"stage 2 trained with it: {retriever.directory}")
    question = corpus.test.queries[0].text
    print(question)
    for hit in retriever.search(question, k=3):
        print(f"{hit.score:8.1f}  {hit.title}")


if __name__ == "__main__":
    main()
