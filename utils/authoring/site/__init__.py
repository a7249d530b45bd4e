"""The static site: executed solutions and documents as pages, with quizzes as plain text and hidden answers."""
