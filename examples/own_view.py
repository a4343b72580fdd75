"""A view of your own: another kind of string by which a passage can be found.

python examples/own_view.py
"""

from collections import Counter

from ltrgr import train
from ltrgr.corpus.demo import generate_demo


def first_sentence(passage):
    """The passage's first sentence; a view gives any number of strings per passage."""
    return (passage.text.split(". ")[0],)


VIEW = """{
_target_: ltrgr.identifiers.views.View,
source: {_target_: hydra.utils.get_method, path: own_view.first_sentence},
prompt: '<sentence>', begin: '<sentence>', end: '</sentence>',
max_new_tokens: 24, sampling_weight: 5}""".replace("\n", " ")
OVERRIDES = [
    "budget=smoke",  # seconds; leave it out to train for minutes
    "identifiers=seal",  # titles and body spans, and then
    f"+identifiers.views.sentence={VIEW}",
]


def main():
    corpus = generate_demo(passages=80, train_questions=200, dev_questions=20, test_questions=20)
    retriever = train(corpus, root="runs/examples", overrides=OVERRIDES)
    print("the views:", ", ".join(retriever.vocabulary.family.names))
    print("an identifier of the new one:", first_sentence(corpus.passages[0])[0])
    questions = [query.text for query in corpus.test.queries]
    found = Counter(
        match.view
        for hits in retriever.search(questions, k=5)
        for hit in hits
        for match in hit.matches
    )
    print(f"identifiers that found the 5 best passages of {len(questions)} questions, by view:")
    for view, number in found.most_common():
        print(f"{number:6d}  {view}")


if __name__ == "__main__":
    main()
