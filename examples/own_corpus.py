"""A corpus of your own: read what you have, and give its texts and questions.

python examples/own_corpus.py
"""

import csv
import io

from ltrgr import Corpus, train

TABLE = """title,text,questions
Opening hours,The library is open from 9 to 20 on weekdays and from 10 to 14 on Saturdays.,\
when is the library open?|is it open on Saturdays?|until when can I stay?
Lost card,A lost card is blocked at the desk. A new one costs five euros.,\
I lost my card|what does a new card cost?|where is a lost card blocked?
Loan period,Books are lent for four weeks and films for one week.,\
how long may I keep a book?|how long are films lent?|what is the loan period?
Renewal,A loan is renewed on the web page unless somebody else has reserved the book.,\
how do I renew a loan?|can I renew a reserved book?|where are loans renewed?
Late fees,Each late day costs twenty cents per book.,\
what does a late book cost?|how high are late fees?|what if I bring it back late?
Reading room,The reading room has sixty desks. Food is not allowed there.,\
may I eat in the reading room?|how many desks are there?|where can I read?
Printing,The printer on the first floor takes coins and cards.,\
where can I print?|how do I pay for printing?|does the printer take coins?
Children,Children under twelve get their card with a signature of their parents.,\
how does a child get a card?|do parents have to sign?|what do children need?
Donations,We take books that are younger than ten years as donations.,\
do you take old books?|how can I donate books?|which donations do you take?
Wireless network,The password of the wireless network is on the back of your card.,\
what is the network password?|how do I get online?|is there a wireless network?
"""


def read_table(file):
    """The corpus, and each question with the number of the passage that answers it."""
    rows = list(csv.DictReader(file))
    corpus = Corpus.from_texts(
        [row["text"] for row in rows], titles=[row["title"] for row in rows], name="library"
    )
    questions = [
        (q, number) for number, row in enumerate(rows) for q in row["questions"].split("|")
    ]
    return corpus, questions


def main():
    corpus, questions = read_table(io.StringIO(TABLE))
    print(f"{len(corpus.passages)} passages, {len(questions)} questions")
    retriever = train(
        corpus,
        questions,
        root="runs/examples",
        overrides=["budget=smoke", "pretrain.steps=80", "pretrain.val_check_interval=40"],
    )
    for question, number in questions[::10]:
        best = retriever.search(question)[0]
        print(f"{question} -> {best.title} (asked about: {corpus.passages[number].title})")
    print("the same from the command line:")
    print(f'ltrgr search "{questions[0][0]}" retriever={retriever.directory}')


if __name__ == "__main__":
    main()
