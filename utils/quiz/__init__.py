"""Quizzes: questions from `datasets/quizzes`, shown as cards, answered, saved, and graded by measurements.

quiz = open_quiz("00")
quiz.show("style")                            # the card
quiz.answer("style", "b", "fairly sure")      # the same without widgets
quiz.grade_predictions(Ledger.open())         # after the measurement
quiz.score()
"""

from utils.quiz.session import QuizSession, open_quiz

__all__ = ["QuizSession", "open_quiz"]
