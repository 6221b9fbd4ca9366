from app.good import VALUE

print(VALUE)
