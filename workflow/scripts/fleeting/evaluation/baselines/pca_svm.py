"""Principal components and a linear support vector machine that weighs the classes equally."""

from collections.abc import Sequence

from fleeting.evaluation.baseline import FoldData

TITLE = "PCA and linear SVM"
LOOKS_AT = "examples"
DRAWS = False

#: At most this many components.
COMPONENTS = 100
#: Where the classes can be separated, the default is too few for the solver to converge.
ITERATIONS = 10_000


def predict(fold: FoldData) -> Sequence[str]:
    """The class of the highest decision value, components and machine fitted in the fold.

    Nothing is drawn at random: the components are those of the whole covariance matrix, and the
    squared hinge loss is minimised in its primal form.
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    labels = fold.train["label"]
    if labels.nunique() == 1:
        return [labels.iloc[0]] * len(fold.test)
    points = fold.train_points
    model = make_pipeline(
        PCA(min(COMPONENTS, *points.shape), svd_solver="covariance_eigh"),
        LinearSVC(class_weight="balanced", dual=False, max_iter=ITERATIONS),
    )
    model.fit(points, labels)
    return list(model.predict(fold.test_points))
